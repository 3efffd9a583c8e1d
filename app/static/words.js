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
    if (id == "status") {
      this.#allow(words)
    }
  }

  // Some buttons are of no use in some states of the run.
  #allow(status) {
    for (const button of find_all(document.body, "[data-unless]")) {
      button.disabled = button.dataset.unless.split(" ").includes(status)
    }
  }
}

// The first element that matches, shadow roots included.
export function find(root, selector) {
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

export function find_all(root, selector) {
  const inside = [...root.querySelectorAll("*")].filter((host) => host.shadowRoot != null)
  return [...root.querySelectorAll(selector), ...inside.flatMap((host) => find_all(host.shadowRoot, selector))]
}
