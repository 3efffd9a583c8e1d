// Tells the server which key was pressed; what a key does is decided there, unless the browser does it alone.

import {ANSWERS} from "./answers.js"
import {open_dialog} from "./dialog_focus.js"
import {send} from "./events.js"
import {KEYS} from "./plot_controls.js"
import {label_of_play} from "./presses.js"

const SPACE = " "
const NUDGES = ["[", "]"] // what may go on while a key is held
const APART = 120 // milliseconds from one nudge to the next meanwhile: slow enough to watch the rate
// Where a key has a meaning of its own: what is written in, and what has to be answered first.
const TAKES_KEYS = "textarea, select, [contenteditable], [role=menu], [role=listbox], [role=dialog]"
const TAKES_SPACE = "button, a[href], summary, [role=button], [role=tab], [role=combobox], [role=menuitem]"
const NO_TEXT = ["range", "checkbox", "radio", "button"] // kinds of input

export function listen_to_keys(keys) {
  let nudged = 0 // when the last nudge was sent

  window.addEventListener("keydown", (event) => {
    const act = KEYS[event.key] ?? ANSWERS[event.key]
    if (!(act != null || keys.includes(event.key)) || event.ctrlKey || event.metaKey || event.altKey) {
      return
    }
    if (event.defaultPrevented || is_taken(event) || open_dialog() != null) {
      return
    }
    event.preventDefault() // space would scroll
    if (act != null) {
      act()
      return
    }
    if (event.repeat && !(NUDGES.includes(event.key) && event.timeStamp - nudged >= APART)) {
      return
    }
    nudged = event.timeStamp
    send("key", event.key, event.key == SPACE ? label_of_play() : "")
  })

  // A dialog receives Escape only while it has the focus, which is lost when its focused button is rewritten.
  window.addEventListener("keydown", (event) => {
    if (event.key == "Escape" && event.target == document.body) {
      open_dialog()?.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}))
    }
  })
}

function is_taken(event) {
  return event.composedPath().some((element) => {
    if (!(element instanceof Element)) { // the document, or a shadow root
      return false
    }
    if (element.matches("input")) {
      return !NO_TEXT.includes(element.type) || (event.key == SPACE && element.type != "range")
    }
    return element.matches(TAKES_KEYS) || (event.key == SPACE && element.matches(TAKES_SPACE))
  })
}
