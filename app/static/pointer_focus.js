// A control that was pressed by pointer loses the focus, so that the page's keys work: space then plays, and does
// not press the control again. After a press by key the focus stays, as everywhere. Tab goes on from either.

import {focused} from "./find.js"

const SPACE = " "
const PRESSED = "button, summary, [role=button], [role=tab], [role=combobox], input:is([type=checkbox], [type=radio])"
// A dialog receives its keys, such as Escape, only while something in it has the focus.
const KEEPS = "[role=dialog]"

export function leave_keys_to_the_page() {
  let by_pointer = false

  window.addEventListener("pointerdown", () => { by_pointer = true }, true)
  window.addEventListener("click", (event) => event.detail > 0 && let_go(), true)
  // A list that closes gives the focus back to the button that opened it; space plays all the same.
  window.addEventListener("keydown", (event) => {
    if (by_pointer && event.key == SPACE && let_go()) {
      event.preventDefault()
      event.stopPropagation()
      document.body.dispatchEvent(new KeyboardEvent("keydown", {key: SPACE, bubbles: true}))
    }
    by_pointer &&= event.key == "Escape" // which only closes what the pointer opened
  }, true)
}

export function keeps_focus(event) {
  return event.composedPath().some((element) => element instanceof Element && element.matches(KEEPS))
}

// Takes the focus from a pressed control; returns whether one had it.
function let_go() {
  const holder = focused()
  const lets_go = holder?.matches(PRESSED) && !is_within(holder, KEEPS)
  if (lets_go) {
    holder.blur()
  }
  return lets_go
}

function is_within(element, selector) {
  return element != null && (element.closest(selector) != null || is_within(element.getRootNode().host, selector))
}
