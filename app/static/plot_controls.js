// The controls and keys by which somebody looks along the run: in the headlines, along the axes, by hand.

import {show_where_pointed} from "./readout.js"
import {change_unit, choose_steps, reset_zoom, zoom_by, pan, next_choice, show_steps} from "./steps_shown.js"
import {attend} from "./views.js"
import {zoom_by_hand} from "./zooming.js"

const CLOSER = 0.5 // times as much is seen
const FAR = 0.25 // of what is seen, that it moves
const END = 1 // where the axis ends, which stays when it is magnified

// The keys that the browser acts on by itself; app/page/keyboard.py tells of them.
export const KEYS = {
  z: () => zoom_by(CLOSER, END),
  x: () => zoom_by(1 / CLOSER, END),
  "{": () => pan(-FAR),
  "}": () => pan(FAR),
  0: reset_zoom,
  s: next_choice,
  u: change_unit,
}

const PRESSES = {reset: reset_zoom, unit: change_unit}

export function listen_to_plot_controls() {
  attend(show_steps) // a headline that is shown anew does not know what is chosen
  attend(zoom_by_hand)
  attend(show_where_pointed)
  document.addEventListener("click", (event) => {
    PRESSES[aimed_at(event)?.dataset.axis]?.()
  })
  document.addEventListener("input", (event) => {
    const select = aimed_at(event)
    if (select != null) {
      choose_steps(select.value)
      let_go(select)
    }
  })
}

function aimed_at(event) {
  return event.composedPath().find((element) => element.dataset?.axis != null)
}

// A menu that was opened by a pointer would keep the keys of the page to itself.
function let_go(select) {
  if (!select.matches(":focus-visible")) {
    select.blur()
  }
}
