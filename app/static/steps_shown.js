// Which steps the plots over time show: all, or those since the last change. One choice for all plots, which
// no frame takes back; it is the browser's alone.

import {choose, model} from "./views.js"

const LEAST = 20 // steps that an axis shows
const LAST = 500 // ... while nothing has been changed
const BEFORE = 0.25 // of the steps since a change, so many before it
const LONG = 1000 // steps of a run after which a change is a hairline on an axis of all of them
const VIEWS = ["loss", "accuracy", "updates"]

let all = true
let chosen = false // by whoever looks, for this run
let run = 0
let step = 0
let changed = 0 // the step of the last change

// The switch in the headline of a plot was pressed.
export function show_steps(pressed) {
  all = pressed
  chosen = true
  update()
}

// A frame has been applied.
export function follow(frame) {
  const last = Math.max(0, ...time_plots().map(([view]) => model(`${view}.markers`).data.step.at(-1) ?? 0))
  if (frame.run != run) {
    run = frame.run
    all = true
    chosen = false
    changed = last
  }
  step = frame.step
  if (last > changed && last > LONG && !chosen) {
    all = false
  }
  changed = last
  update()
}

function update() {
  const shown = all ? [0, Math.max(step, LEAST)] : part()
  for (const [_, corners] of time_plots()) {
    const {x, ...rest} = corners.data
    if (x.length > 0 && (x[0] != shown[0] || x[1] != shown[1])) {
      corners.setv({data: {...rest, x: shown}}, {sync: false})
    }
  }
  choose("steps", all)
}

function part() {
  const since = changed > 0 ? Math.max(LEAST, step - changed) * (1 + BEFORE) : LAST
  return [Math.max(0, Math.floor(step - since)), Math.max(step, LEAST)]
}

// Those that have been drawn, with the source of the corners of their axes.
function time_plots() {
  return VIEWS.map((view) => [view, model(`${view}.frame`)]).filter(([_, corners]) => corners != null)
}
