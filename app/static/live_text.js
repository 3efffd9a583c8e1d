// The text of the page that changes with the run, in elements with `data-text`.

import {find, find_all} from "./find.js"

const OF_THE_RUN = "h1, .counters, .word-of-run" // in the header

export class LiveText {
  #elements = new Map() // by `data-text`
  #status = ""
  #why = "" // there is no run to steer; empty: there is one

  set(id, text) {
    let element = this.#elements.get(id)
    if (!element?.isConnected) {
      element = find(document.body, `[data-text="${id}"]`)
      if (element == null) {
        return
      }
      this.#elements.set(id, element)
    }
    element.textContent = text
    element.dataset.value = text
    if (element.matches(".mark")) {
      element.parentElement.ariaChecked = String(text != "")
    }
    if (id == "status") {
      this.#allow(text)
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

  // There is no run to steer or to show, for this reason; empty: there is one.
  rest(reason) {
    this.#why = reason
    this.#allow(this.#status)
    for (const element of find_all(document.body, OF_THE_RUN)) {
      element.style.visibility = reason == "" ? "" : "hidden"
    }
  }
}
