// The words of the page that move: elements that say by `data-text` what they tell.

const OF_THE_RUN = "h1, .counters, .word-of-run" // in the header

export class Words {
  #elements = new Map() // by what they tell
  #status = ""
  #why = "" // there is no run to steer; empty: there is one

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

  // Some buttons are of no use in some states of the run, or where there is none.
  #allow(status) {
    this.#status = status
    for (const button of find_all(document.body, "[data-unless]")) {
      button.disabled = this.#why != "" || button.dataset.unless.split(" ").includes(status)
      button.dataset.title ??= button.title
      button.title = this.#why || button.dataset.title
    }
  }

  // There is no run to steer, or to tell of; empty words: there is one.
  rest(words) {
    this.#why = words
    this.#allow(this.#status)
    for (const element of find_all(document.body, OF_THE_RUN)) {
      element.style.visibility = words == "" ? "" : "hidden"
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
