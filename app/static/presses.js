// Tells the server which button was pressed; what a button does is decided there.

import {tell} from "./events.js"
import {find} from "./words.js"

const SETTLED = 1000 // milliseconds in which the server may write a button anew
const LOOK = 50

export function listen_for_presses() {
  document.addEventListener("click", (event) => {
    const button = event.composedPath().find((element) => element.dataset?.press != null)
    if (button != null && !button.disabled) {
      const name = button.dataset.press
      tell("babysit_press", {name})
      keep_focus(name, performance.now() + SETTLED)
    }
  })
}

// Words that are written anew take the button with them that has just been pressed by a key.
function keep_focus(name, until) {
  if (document.activeElement == document.body) {
    find(document.body, `[data-press="${CSS.escape(name)}"]`)?.focus({preventScroll: true})
  }
  if (performance.now() < until) {
    setTimeout(() => keep_focus(name, until), LOOK)
  }
}
