// Keeps the focus in an open dialog, and gives it back to what opened the dialog by a key.
//
// Material does both, but not across shadow roots, in which all of this page is.

import {find_all, focused} from "./find.js"

const ENDS = {sentinelStart: -1, sentinelEnd: 0} // Material's, by their test ids: where Tab goes on from each
const STOPS = "a[href], button, input, select, textarea, [tabindex]"
const CLOSES = 1000 // milliseconds in which a press or key may close the dialog
const POLL = 50

export function keep_focus_in_dialogs() {
  let before = null // what had the focus before a key opened the dialog

  window.addEventListener("pointerdown", () => {
    before = open_dialog() == null ? null : before
  }, true)
  window.addEventListener("keydown", ({key}) => {
    if (open_dialog() == null) {
      before = focused()
    } else if (key == "Tab") {
      setTimeout(go_round) // after the browser has moved the focus
    } else {
      give_back(before, performance.now() + CLOSES)
    }
  }, true)
  window.addEventListener("click", () => open_dialog() && give_back(before, performance.now() + CLOSES), true)
}

export function open_dialog() {
  return find_all(document.body, "[role=dialog]").find((dialog) => dialog.checkVisibility())
}

function go_round() {
  const place = ENDS[focused()?.dataset?.testid]
  const dialog = open_dialog()
  if (place != null && dialog != null) {
    stops(dialog).at(place)?.focus()
  }
}

function give_back(element, until) {
  if (open_dialog() != null && performance.now() < until) {
    setTimeout(() => give_back(element, until), POLL)
  } else if (document.activeElement == document.body && open_dialog() == null) {
    element?.focus({preventScroll: true})
  }
}

// Where Tab stops within an element, in its order.
function stops(root) {
  return [...root.children].flatMap((element) => {
    const inside = [...element.shadowRoot ? stops(element.shadowRoot) : [], ...stops(element)]
    const stop = element.matches(STOPS) && element.tabIndex >= 0 && !element.disabled && element.checkVisibility()
    return stop ? [element, ...inside] : inside
  })
}
