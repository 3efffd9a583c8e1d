// Plays the run from its first step to now in a fixed time. It moves the scrubber of the timeline at a
// constant speed along its scale, so that a few early steps take as long as many late ones.

import {find} from "./find.js"

const LASTS = 20_000 // milliseconds, however long the run
const EACH = 80 // milliseconds from one picture that is asked for to the next
const MOVES = ["Tab", "Shift", "Control", "Alt", "Meta"] // keys that do nothing to the run
const PRESSES = ["Enter", " "] // ... that press the button itself
const SPACE = " " // pauses whatever plays: here the film, not the run

let begun = null

export function listen_for_film() {
  document.addEventListener("click", (event) => {
    if (is_button(event)) {
      begun == null ? start() : stop()
    }
  })
  // Any other press or key stops the film at the step that it shows.
  document.addEventListener("pointerdown", (event) => is_button(event) || stop(), true)
  document.addEventListener("keydown", (event) => {
    const leaves = MOVES.includes(event.key) || (is_button(event) && PRESSES.includes(event.key))
    if (event.key == SPACE && begun != null && !leaves) {
      event.preventDefault()
      event.stopPropagation()
    }
    leaves || stop()
  }, true)
}

function is_button(event) {
  return event.composedPath().some((element) => element.dataset?.film != null)
}

function start() {
  begun = performance.now()
  press(true)
  play()
}

function stop() {
  if (begun != null) {
    begun = null
    press(false)
  }
}

function play() {
  const scrubber = find(document.body, ".timeline input")
  if (begun == null || scrubber == null) {
    return
  }
  const part = Math.min(1, (performance.now() - begun) / LASTS)
  scrubber.value = part
  scrubber.dispatchEvent(new Event("input", {bubbles: true, composed: true}))
  if (part == 1) {
    stop()
  } else {
    setTimeout(play, EACH)
  }
}

function press(pressed) {
  const button = find(document.body, "[data-film]")
  button.ariaPressed = String(pressed)
  button.querySelector(".icon").textContent = pressed ? "stop" : "movie"
}
