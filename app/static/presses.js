// Tells the server which button was pressed; what a button does is decided there.

import {send} from "./events.js"
import {find} from "./find.js"
import {close_list} from "./list_keys.js"
import {keeps_focus} from "./pointer_focus.js"

const STILL = 5 // pixels within which a pointer has stayed where it was
const LATE = 100 // milliseconds after the end of a press in which its click may come
export const SETTLED = 1000 // milliseconds in which the server may write a button anew
const POLL = 50

export function listen_for_presses() {
  let held = null // where the pointer went down on a button that has not been clicked yet

  document.addEventListener("pointerdown", (event) => {
    const button = event.button == 0 ? aimed_at(event) : null
    held = button && {...said_by(button), kept: keeps_focus(event), x: event.clientX, y: event.clientY}
  })

  // If the page moves a button away under the pointer, or writes it anew, no click reaches it.
  document.addEventListener("pointerup", (event) => {
    const press = held
    if (press != null && Math.hypot(event.clientX - press.x, event.clientY - press.y) < STILL) {
      setTimeout(() => held == press && !find(document.body, press.selector)?.disabled && pressed(press), LATE)
    }
  })

  // The text in a field of a panel is sent with every letter.
  document.addEventListener("input", (event) => {
    const field = event.composedPath().find((element) => element.dataset?.writes != null)
    if (field != null) {
      const {writes, of} = field.dataset
      send("press", writes, of == null ? field.value : `${of} ${field.value}`)
    }
  })

  document.addEventListener("click", (event) => {
    const button = aimed_at(event)
    if (button != null) {
      const list = button.closest("[popover]:popover-open")
      list && close_list(list)
      pressed({...said_by(button), kept: event.detail == 0 || keeps_focus(event)})
    }
  })

  function pressed({press, value, selector, kept, beside}) {
    if (held?.selector == selector) {
      held = null
    }
    send("press", press, value)
    if (kept) {
      restore_focus(selector, performance.now() + SETTLED, beside)
    }
  }
}

function aimed_at(event) {
  return event.composedPath().find((element) => element.dataset?.press != null && !element.disabled)
}

// The label of the Play button as it was pressed: the run may have changed before the press arrives.
export function label_of_play() {
  return find(document.body, "[data-text=play]")?.textContent ?? ""
}

// What is sent for a button, and the selector by which it is found once its HTML has been rewritten.
function said_by(button) {
  const {press, value} = button.dataset
  const valued = value == null ? "" : `[data-value="${CSS.escape(value)}"]`
  const told = press == "play" ? label_of_play() : value
  return {press, value: told, selector: `[data-press="${CSS.escape(press)}"]${valued}`, beside: button.getRootNode()}
}

// When HTML is rewritten, the button in it that was just pressed by key loses the focus, and gets it back here. If
// the button does not come back, Tab would start at the top of the page: the slider beside it gets the focus, on
// which space still plays.
export function restore_focus(selector, until, beside = null) {
  if (nobody_has_focus()) {
    find(document.body, selector)?.focus({preventScroll: true})
  }
  if (performance.now() < until) {
    setTimeout(() => restore_focus(selector, until, beside), POLL)
  } else if (document.activeElement == document.body) {
    beside?.querySelector("input[type=range]")?.focus({preventScroll: true})
  }
}

// A dialog takes the focus itself when what had it is gone.
function nobody_has_focus() {
  return document.activeElement == document.body || document.activeElement?.matches(".MuiDialog-root, .MuiDialog-container")
}
