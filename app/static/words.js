// The words of the page that move: elements that say by `data-text` what they tell.

export class Words {
  #elements = new Map() // by what they tell

  say(id, words) {
    let element = this.#elements.get(id)
    if (!element?.isConnected) {
      element = find(document.body, `[data-text="${id}"]`)
      if (element == null) {
        return
      }
      this.#elements.set(id, element)
    }
    element.textContent = words
    element.dataset.value = words
  }
}

// The first element that matches, shadow roots included.
function find(root, selector) {
  const element = root.querySelector(selector)
  if (element != null) {
    return element
  }
  for (const host of root.querySelectorAll("*")) {
    if (host.shadowRoot != null) {
      const inside = find(host.shadowRoot, selector)
      if (inside != null) {
        return inside
      }
    }
  }
  return null
}
