// Which part of the run the plots over it show: one choice for all of them, which no frame takes back.
// It is the browser's alone.

import {height} from "./heights.js"
import {count_in, learn, place, scale, space, step_at, unit} from "./time_axis.js"
import {in_headlines, model} from "./views.js"

const LEAST = 20 // steps that the axis shows while a run is young
const FEWEST = 4 // ... of a part that somebody looks at
const LAST = 500
const BEFORE = 0.25 // of the steps since a change, so many before it
const LONG = 1000 // steps of a run after which a change is a hairline on an axis of all of them
const VIEWS = ["loss", "accuracy", "updates"]

let choice = "all" // or since the "change", the "last" steps, in "powers" of ten
let chosen = false // whether somebody has made that choice for this run
let part = null // the first step and the last, of what somebody looks at more closely
const heights = new Map() // by view: the vertical axes that somebody has set
const before = new Map() // by run: what was looked at of it, for those that are shown again
let usual = true // whether what is rare may lie off an axis
let run = 0
let recorded = 0 // the step of the last row of its curves
let step = 0
let changed = 0 // the step of the last change
let looked_at = null // the step that the timeline shows, if not the last
let drawn_by = "" // the scale by which all places were worked out

export function choose_steps(name) {
  choice = name
  chosen = true
  part = null
  heights.clear()
  show_steps()
}

export function next_choice() {
  const names = []
  in_headlines("[data-axis=steps]", (select) => {
    names.splice(0, names.length, ...[...select.options].filter(({hidden}) => !hidden).map(({value}) => value))
  })
  choose_steps(names[(names.indexOf(choice) + 1) % names.length] ?? choice)
}

export function show_usual(pressed) {
  usual = pressed
  show_steps()
}

export function change_unit() {
  count_in(unit() == "step")
  show_steps()
}

// Look at some steps more closely, and in one view at some values.
export function zoom_to(steps, view, values) {
  const most = Math.max(step, LEAST)
  const length = Math.min(most, Math.max(FEWEST, steps[1] - steps[0]))
  const from = Math.max(0, Math.min(steps[0], most - length))
  const whole = length >= most && choice != "powers"
  part = length < most ? [from, from + length] : null
  choice = whole ? "all" : choice
  chosen = true
  if (values != null) {
    heights.set(view, values)
  }
  show_steps()
}

export function height_of(view) {
  return heights.get(view)
}

// All that was looked at more closely is seen as before.
export function reset_zoom() {
  part = null
  heights.clear()
  show_steps()
}

// Where the axis begins and ends.
export function ends() {
  return shown().map((x) => place(x))
}

// Part of what is seen: `by` times as much, around a share of it.
export function zoom_by(by, around) {
  const [start, end] = ends()
  const middle = start + around * (end - start)
  zoom_to([middle + by * (start - middle), middle + by * (end - middle)].map(step_at))
}

// By so much of what is seen, to later steps.
export function pan(by) {
  const [start, end] = ends()
  const far = by * (end - start)
  const least = place(0) - start
  const most = place(Math.max(step, LEAST)) - end
  const moved = Math.max(least, Math.min(most, far))
  zoom_to([start + moved, end + moved].map(step_at))
}

// A frame is about to be applied: its steps are placed by what it says of epochs.
export function learn_epochs({set = {}, reset = {}}) {
  const epochs = VIEWS.map((view) => set[`${view}.epochs`] ?? reset[`${view}.epochs`]).find((columns) => columns != null)
  if (epochs != null) {
    learn(epochs)
    recorded = epochs.step.at(-2)
  }
}

// It has been applied.
export function follow(frame) {
  const last = Math.max(0, ...time_plots().map(({view}) => model(`${view}.markers`).data.step.at(-1) ?? 0))
  if (frame.run != run) {
    turn_to_run(frame.run, last)
  }
  looked_at = frame.look?.[0] ?? null
  step = Math.max(frame.step, recorded) // a run that is looked back at is seen whole
  if (last > changed && last > LONG && !chosen && choice == "all") {
    choice = "change"
  }
  changed = last
  show_steps()
}

// Another run is looked at as a whole; one that comes back, such as one's own after a lesson, as it was left.
function turn_to_run(next, last) {
  if (chosen) {
    before.set(run, {choice, part, heights: new Map(heights)})
  }
  run = next
  const left = before.get(run)
  choice = left?.choice ?? (choice == "powers" ? choice : "all")
  part = left?.part ?? null
  heights.clear()
  left?.heights.forEach((values, view) => heights.set(view, values))
  chosen = left != null
  changed = last
}

// Bring all plots up to date.
export function show_steps() {
  const plots = time_plots()
  space(choice == "powers")
  if (scale() != drawn_by) {
    plots.forEach(place_anew)
    drawn_by = scale()
  }
  const [start, end] = ends()
  for (const {view, figure} of plots) {
    set(figure.x_range, [start, end])
    const rows = (name) => model(name)?.data
    const whole = part == null && ["all", "powers"].includes(choice)
    const values = heights.get(view) ?? height(view, figure, rows, whole ? null : shown(), !usual)
    if (values != null) {
      set(figure.y_range, values)
    }
  }
  show_choice()
}

// The first step and the last.
function shown() {
  const last = Math.max(step, LEAST)
  if (part != null) {
    return part
  }
  const first = first_chosen()
  return [is_before(first) ? 0 : first, last]
}

function first_chosen() {
  const since = {change: Math.max(LEAST, step - changed) * (1 + BEFORE), last: LAST}[choice]
  return since == null || (choice == "change" && changed == 0) ? 0 : Math.max(0, Math.floor(step - since))
}

// Whether somebody looks back at a step before the part that is chosen: all steps are shown meanwhile.
function is_before(first) {
  return looked_at != null && looked_at < first
}

function set(range, [start, end]) {
  if (range.start != start || range.end != end) {
    range.setv({start, end}, {sync: false})
  }
}

// The plots that have been drawn.
function time_plots() {
  return VIEWS.map((view) => ({view, figure: model(`view:${view}`)})).filter(({figure}) => figure != null)
}

// Columns as they are to be drawn: with the places of their steps.
export function placed(columns, known) {
  if (known.x == null) {
    return columns
  }
  const {step, steps, epochs} = columns
  if (step != null) {
    return {...columns, x: Array.from(step, (x) => place(x))}
  }
  return steps == null ? columns : {...columns, x: steps.map((some, n) => some.map((x, m) => place(x, epochs[n][m])))}
}

function place_anew({figure}) {
  for (const data_source of new Set(figure.renderers.map((renderer) => renderer.data_source))) {
    const {data} = data_source
    if (data.x != null && (data.step ?? data.steps) != null) {
      data_source.setv({data: placed(data, data)}, {sync: false})
    }
  }
}

// Shows the choice in the menus of all headlines.
function show_choice() {
  const whole = is_before(first_chosen()) ? "all" : choice
  const name = part == null && heights.size == 0 ? whole : "part"
  in_headlines("[data-axis=steps]", (select) => {
    if (select.value != name) {
      select.value = name
    }
  })
  in_headlines("[data-axis=reset]", (button) => {
    button.hidden = name != "part"
  })
  in_headlines("[data-switch='loss.usual']", (button) => {
    button.ariaPressed = String(usual)
  })
}
