// What stands beside the curves of a plot and over them: the names of lines, the changes, and how far
// the values go that lie off its axes. Worked out in pixels, from the axes as they are drawn now.

import {apart} from "./apart.js"
import {count, number} from "./numbers.js"

const ROOM = 10 // pixels from the end of a line to its name
const GAP = 1.2 // of the size of type, from one name to the next
const FLAG = 6 // ... a flag is at least as wide
const LETTER = 0.6 // ... an average letter
const EXCURSION = 0.12 // of the width: values off the axis closer than that are one excursion
const MOST = 4 // excursions that are told

// All of it, as plain items that can be shown on the page or painted on a picture.
export function margin_of(figure, model) {
  const view = figure.model.name?.replace("view:", "")
  const told = figure.model.tags.find((tag) => tag.lines != null)
  if (view == null || told == null || figure.frame.bbox.width <= 0) {
    return null
  }
  const plot = new Plot(figure)
  return {
    type: plot.type,
    ...names(plot, read(model(`${view}.ends`))),
    beyond: beyond(plot, told.lines.flatMap(([source, ...columns]) => {
      const {step = [], ...rest} = model(source)?.data ?? {}
      return columns.map((column) => [step, rest[column] ?? []])
    }), told.floor),
    zero: zero(plot, told.floor),
    flags: flags(plot, read(model(`${view}.markers`))),
  }
}

class Plot {
  constructor(figure) {
    const {left, right, top, bottom} = figure.frame.bbox
    Object.assign(this, {left, right, top, bottom})
    this.x = (value) => figure.frame.x_scale.compute(value)
    this.y = (value) => figure.frame.y_scale.compute(value)
    this.shows = (x) => x >= left - 1 && x <= right + 1 // the axis may begin after the run
    this.end = figure.bbox.width
    const size = figure.model.below[0].major_label_text_font_size
    this.type = Number.parseFloat(size.value ?? size)
  }
}

function read(source) {
  const columns = Object.entries(source?.data ?? {})
  const rows = columns.length == 0 ? 0 : columns[0][1].length
  return Array.from({length: rows}, (_, n) => Object.fromEntries(columns.map(([k, v]) => [k, v[n]])))
}

// A name stands where its line ends, or a leader ties it to it; of a line off the axis it says how far.
function names(plot, ends) {
  const fitting = ends.slice(0, Math.floor((plot.bottom - plot.top) / (GAP * plot.type)))
  const wanted = fitting.map(({y}) => Math.max(plot.top, Math.min(plot.bottom, plot.y(y))))
  const half = GAP * plot.type / 2
  const placed = apart(wanted, 2 * half, plot.top + half, plot.bottom - half)
  // Of a young run, whose curves end before the axis does, the names stand behind them.
  const x = Math.min(plot.right, Math.max(...fitting.map(({step}) => plot.x(step)))) + ROOM
  const leaders = []
  const shown = fitting.map(({step, y, label, colour}, n) => {
    const [at, edge] = [plot.y(y), off(plot, plot.y(y))]
    const end = plot.x(step)
    if (edge == "" && (Math.abs(placed[n] - at) > 1 || x - end > 2 * ROOM)) {
      leaders.push({x1: end + 1, y1: at, x2: x - 2, y2: placed[n], colour})
    }
    return {x, y: placed[n], width: plot.end - x, colour, text: edge ? `${label} ${edge}${number(y)}` : label}
  })
  return {names: shown, leaders}
}

function off(plot, y) {
  return y < plot.top - 1 ? "▴" : y > plot.bottom + 1 ? "▾" : ""
}

// Where curves leave the axes, and how far they go.
function beyond(plot, curves, floor) {
  const near = EXCURSION * (plot.right - plot.left)
  return ["▴", "▾"].flatMap((edge) => {
    const points = curves.flatMap(([steps, values]) => outside(plot, steps, values, edge))
    const found = []
    for (const point of points.sort((a, b) => a.x - b.x)) {
      const last = found.at(-1)
      if (last == null || point.x - last.until > near) {
        found.push({...point, until: point.x})
      } else {
        last.until = point.x
        if (further(point, last, edge)) {
          Object.assign(last, point)
        }
      }
    }
    const most = found.sort((a, b) => further(a, b, edge) ? -1 : 1).slice(0, MOST)
    return most.map(({x, step, value}) => {
      const figure = value <= floor ? "0" : number(value)
      const low = edge == "▾"
      return {
        x: Math.max(plot.left + 2, Math.min(plot.right - 2, x)),
        y: low ? plot.bottom - plot.type - 4 : plot.top + 1,
        part: (x - plot.left) / (plot.right - plot.left),
        text: `${edge} ${figure}`,
        tip: `${low ? "Down" : "Up"} to ${figure} at step ${count(step)}: off this axis.`,
      }
    })
  })
}

function outside(plot, steps, values, edge) {
  const found = []
  for (let n = 0; n < values.length; n++) {
    const value = values[n]
    const x = plot.x(steps[n])
    if (Number.isFinite(value) && plot.shows(x) && off(plot, plot.y(value)) == edge) {
      found.push({x, step: steps[n], value})
    }
  }
  return found
}

function further(one, other, edge) {
  return edge == "▾" ? one.value < other.value : one.value > other.value
}

// A logarithmic axis has no place for 0: what is 0 is drawn at a floor, which is marked.
function zero(plot, floor) {
  const y = floor == null ? NaN : plot.y(floor)
  return Number.isFinite(y) && off(plot, y) == "" ? [{x: plot.left - 5, y, text: "0"}] : []
}

// A flag a change; those too close for a word of their own are gathered.
function flags(plot, changes) {
  const least = FLAG * plot.type
  const groups = []
  for (const {step, label} of changes) {
    const x = plot.x(step)
    if (!plot.shows(x)) {
      continue
    }
    const said = `step ${count(step)}: ${label}`
    if (groups.length > 0 && x - groups.at(-1).x < least) {
      groups.at(-1).tips.push(said)
    } else {
      groups.push({x, label, tips: [said]})
    }
  }
  return groups.map(({x, label, tips}, n) => {
    const room = Math.max(least, (groups[n + 1]?.x ?? plot.end) - x - 2)
    const text = tips.length > 1 ? `${tips.length} changes` : short(label, room / (LETTER * plot.type))
    return {x, y: plot.top - plot.type - 6, width: room, text, tip: tips.join("\n")}
  })
}

function short(label, letters) {
  return label.length < letters ? label : label.replace(/^.*→ /, "→ ")
}
