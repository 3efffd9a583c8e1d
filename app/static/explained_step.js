// The stages of an explained step: one after the other by button or by themselves, what the number under
// the pointer is, and which weight is asked for. Their content is written by the server: app/explained_step/dialog.py.

import {send} from "./events.js"
import {restore_focus, SETTLED} from "./presses.js"
import {find} from "./find.js"

const EACH = 1500 // milliseconds of each stage when they follow by themselves
const PLAYED = 5 // stages that do

let playing = null

export function show_stages() {
  document.addEventListener("click", (event) => {
    const by = aimed_at(event, "stage")?.dataset.stage
    if (by == "play") {
      play()
    } else if (by != null) {
      stop()
      go(Number(by))
    }
  })
  // Enter and focus events inside a component do not reach the document; these do.
  for (const kind of ["pointermove", "pointerdown", "keyup"]) {
    document.addEventListener(kind, (event) => {
      const target = aimed_at(event, "readout")
      const place = target?.getRootNode().querySelector(".explained > .readout")
      if (place != null && place.textContent != target.dataset.readout) {
        place.textContent = target.dataset.readout
      }
    })
  }
  // That a field was left, or confirmed, is not heard outside of its component either: only its letters are.
  document.addEventListener("input", (event) => {
    const field = aimed_at(event, "trace")
    if (field != null) {
      field.onchange = () => ask(field)
    }
  })
}

function aimed_at(event, what) {
  return event.composedPath().find((element) => element.dataset?.[what] != null)
}

// ---- the stages ----------------------------------------------------------------------------------

function tabs() {
  const list = find(document.body, ".explained > [role=tablist]")
  return [...list?.querySelectorAll("[role=tab]") ?? []].filter((tab) => tab.checkVisibility())
}

// Turn to another stage; says whether there was one.
function go(by) {
  const all = tabs()
  const next = all[all.findIndex((tab) => tab.ariaSelected == "true") + by]
  next?.click()
  return next != null
}

function play() {
  if (playing != null) {
    stop()
    return
  }
  const all = tabs()
  const last = all.findIndex((tab) => tab.ariaSelected == "true") >= PLAYED - 1
  if (last) {
    all[0].click()
  }
  playing = setInterval(on, EACH)
  press(true)
}

function on() {
  const at = tabs().findIndex((tab) => tab.ariaSelected == "true")
  if (at >= PLAYED - 1 || !go(1) || at == PLAYED - 2) {
    stop()
  }
}

function stop() {
  clearInterval(playing)
  playing = null
  press(false)
}

function press(pressed) {
  const button = find(document.body, ".explained [data-stage=play]")
  if (button != null) {
    button.ariaPressed = String(pressed)
  }
}

// ---- one weight ----------------------------------------------------------------------------------

// Another layer has other units: it begins with its steepest weight.
function ask(field) {
  const fields = [...field.getRootNode().querySelectorAll("[data-trace]")].map(({value}) => value)
  send("press", "trace", (field.dataset.trace == "0" ? [fields[0], "", ""] : fields).join("|"))
  restore_focus(`[data-trace="${field.dataset.trace}"]`, performance.now() + SETTLED)
}
