// What stands beside the curves of a plot and over them: the names of lines, the changes, and how far
// the values go that lie off its axes. Worked out in pixels, from the axes as they are drawn now.

import {Crossings} from "./crossings.js"
import {spread_clear} from "./label_spacing.js"
import {levels} from "./levels.js"
import {count, number} from "./numbers.js"
import {place, unit} from "./time_axis.js"

const NAME_GAP = 10 // pixels from the end of a line to its name
const GAP = 1.2 // of the size of type, from one name to the next
const WIDE = 8 // of the size of type: a name fits between there and the end of the axis
const UNIT = 2.6 // ... from the end of the axis to its unit
const UNIT_BELOW = 0.55 // ... and below it
const FLAG = 6 // ... a flag is at least as wide
const DIVERGED = "diverged" // the mark of the server's that is no change
const LETTER = 0.6 // ... an average letter
const EXCURSION = 0.12 // of the width: values off the axis closer than that are one excursion
const BEYOND = 5 // ... of the size of type: the label of one is about as wide
const MOST = 4 // excursions that are labelled

// All of it, as plain items that can be shown on the page or painted on a picture.
export function margin_of(figure, model) {
  const view = figure.model.name?.replace("view:", "")
  const tag = figure.model.tags.find((tag) => tag.lines != null)
  if (view == null || tag == null || figure.frame.bbox.width <= 0) {
    return null
  }
  const plot = new Plot(figure)
  const others = model(`${view}.ghosts`)?.data
  const curves = tag.lines.flatMap(({source, columns, label}) => {
    const {step = [], x = [], ...rest} = model(source)?.data ?? {}
    return columns.map((column) => ({step, x, y: rest[column] ?? [], label, within: columns.length > 1}))
  })
  const marked = read(model(`${view}.levels`))
  const thin = [...curves.filter(({within}) => !within), ...each(others)]
  const named = names(plot, read(model(`${view}.ends`)), curves, others, [...thin, ...marked.map(across(plot))])
  const partly = curves.filter((curve) => enters(plot, curve) || !named.names.some(({far}) => far == curve.label))
  const far = beyond(plot, partly, tag.floor)
  return {
    type: plot.type,
    ...named,
    levels: levels(plot, marked, [...curves, ...each(others)], [...named.boxes, ...far.map(({box}) => box)]),
    beyond: far,
    zero: zero(plot, tag.floor),
    flags: flags(plot, read(model(`${view}.markers`))),
    unit: {x: plot.right + plot.type * UNIT, y: plot.bottom + plot.type * UNIT_BELOW, text: unit()},
  }
}

class Plot {
  constructor(figure) {
    const {left, right, top, bottom} = figure.frame.bbox
    Object.assign(this, {left, right, top, bottom})
    this.x = (place) => figure.frame.x_scale.compute(place)
    this.y = (value) => figure.frame.y_scale.compute(value)
    this.shows = (x) => x >= left - 1 && x <= right + 1 // the axis may begin after the run
    this.range = figure.model.x_range
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

// The names of this run's lines and of other runs', where those end or leave the plot.
function names(plot, ends, curves, others, drawn) {
  const {start, end} = plot.range
  const own = ends.map(({step, end: evaluated, y, ...line}) => {
    const last = {x: place(step), tip: place(evaluated), y}
    return {...line, ...last.x > end ? crossing(curves.find(({label}) => label == line.curve), end) ?? last : last}
  })
  const known = each(others).filter(({label, x}) => label != "" && x[0] <= end)
  const past = known.map((line) => ({...line, ...crossing(line, end) ?? {x: line.x.at(-1), y: line.y.at(-1)}}))
  return placed_names(plot, [...own, ...past].filter(({x}) => x >= start), drawn)
}

// A horizontal line, as a curve.
function across({range}) {
  return ({y}) => ({x: [range.start, range.end], y: [y, y]})
}

// Other runs, curve by curve.
function each({x = [], y = [], label = [], colour = []} = {}) {
  return Array.from(x, (places, n) => ({x: places, y: y[n], label: label[n], colour: colour[n]}))
}

// Where a curve crosses the end of the axis, if it does.
function crossing({x, y}, end) {
  const known = (n) => Number.isFinite(y[n])
  const next = x.findIndex((place, n) => place > end && known(n))
  const last = x.findLastIndex((place, n) => place <= end && known(n))
  if (next < 0 || last < 0) {
    return null
  }
  const part = (end - x[last]) / (x[next] - x[last])
  return {x: end, y: y[last] + part * (y[next] - y[last])}
}

// The name of a line stands at its end, or is tied to it by a leader. If the line has left the axis, the name
// includes its value (`far` is then its curve). A line that is evaluated seldom ends at its `tip`, before the run.
// If lines end long before the axis does, as in a young run, their names stand right behind them, where no
// other curve passes if there is such a place.
function placed_names(plot, lines, drawn) {
  const at_edge = lines.filter(({x}) => plot.x(x) > plot.right - WIDE * plot.type)
  const young = lines.filter((line) => !at_edge.includes(line))
  const groups = neighbours(plot, young)
  const alone = groups.length == 0 || (groups.length == 1 && at_edge.length == 0) // nothing runs on beside it
  const crossings = alone ? null : new Crossings(plot, drawn)
  const behind = groups.map((some) => column(plot, some, plot.x(some.at(-1).x), crossings))
  const columns = [column(plot, at_edge, plot.right, null), ...behind]
  const [all, leaders, boxes] = ["names", "leaders", "boxes"].map((part) => columns.flatMap((column) => column[part]))
  return {names: all, leaders, boxes}
}

// Lines in groups: between the ends of two groups there is space for a name.
function neighbours(plot, lines) {
  const groups = []
  for (const line of lines.toSorted((a, b) => a.x - b.x)) {
    const group = groups.at(-1)
    if (group == null || plot.x(line.x) - plot.x(group.at(-1).x) > WIDE * plot.type) {
      groups.push([line])
    } else {
      group.push(line)
    }
  }
  return groups
}

function column(plot, ends, edge, crossings) {
  const x = edge + NAME_GAP
  const line = GAP * plot.type
  const most = Math.floor((plot.bottom - plot.top) / line)
  const fitting = ends.slice(0, most)
  const letters = Math.floor((plot.end - x) / (LETTER * plot.type))
  const texts = fitting.map(({y, label}) => {
    const beyond = off(plot, plot.y(y))
    return [label, beyond == "" ? "" : `${beyond}${number(y)}`]
  })
  const length = ([label, value]) => label.length + value.length
  const longest = texts.toSorted((a, b) => length(b) - length(a)).slice(0, most - texts.length)
  const lines = texts.map((text) => (longest.includes(text) ? on_two_lines : on_one_line)(...text, letters))
  const wanted = fitting.map(({y}) => Math.max(plot.top, Math.min(plot.bottom, plot.y(y))))
  const wide = lines.map((parts) => LETTER * plot.type * Math.max(...parts.map((part) => part.length)))
  const covered = (n, top, bottom) => crossings?.count({top, bottom, left: x, right: x + wide[n]}) ?? 0
  const high = lines.map(({length}) => length * line)
  const heights = spread_clear(wanted, high, plot.top, plot.bottom, covered)
  const boxes = heights.map((y, n) => ({top: y - high[n] / 2, bottom: y + high[n] / 2, left: x, right: x + wide[n]}))
  const leaders = []
  const names = fitting.map(({x: last, tip = last, y, label, curve = label, colour}, n) => {
    const at = plot.y(y)
    const beyond = off(plot, at) != ""
    const end = Math.max(plot.left, plot.x(tip))
    if (!beyond && (Math.abs(heights[n] - at) > 1 || x - end > 2 * NAME_GAP)) {
      leaders.push({x1: end + 1, y1: at, x2: x - 2, y2: heights[n], colour})
    }
    return {x, y: heights[n], width: plot.end - x, colour, text: lines[n].join("\n"), far: beyond ? curve : null}
  })
  return {names, leaders, boxes}
}

// Names are shortened, values never: a shortened value would be another one.
function on_one_line(label, value, letters) {
  return [value == "" ? without_middle(label, letters) : `${without_middle(label, letters - value.length - 1)} ${value}`]
}

// If there is a value, it gets the second line. Else the name is broken at the space that makes both lines
// about equally long; if they do not fit then, where the first line is full.
function on_two_lines(label, value, letters) {
  if (value != "") {
    const together = label.length + 1 + value.length <= letters
    return together ? [`${label} ${value}`] : [without_middle(label, letters), value]
  }
  if (label.length <= letters) {
    return [label]
  }
  const spaces = [...label.matchAll(/ /g)].map(({index}) => index)
  const longer = (space) => Math.max(space, label.length - space - 1)
  const space = spaces.sort((a, b) => longer(a) - longer(b)).find((one) => longer(one) <= letters)
  const lines = space == null ? [label.slice(0, letters), label.slice(letters)] : [label.slice(0, space), label.slice(space + 1)]
  return lines.map((line) => without_middle(line, letters))
}

// A short last word is kept whole: in names of one kind it is what differs.
function without_middle(text, most) {
  const letters = Math.max(most, 3)
  const half = Math.floor((letters - 1) / 2)
  const last = text.match(/[^ …]*$/)[0].length
  const end = last > 0 && last <= letters - 4 ? last : half
  return text.length <= letters ? text : `${text.slice(0, letters - 1 - end)}…${text.slice(-end)}`
}

function off(plot, y) {
  return y < plot.top - 1 ? "▴" : y > plot.bottom + 1 ? "▾" : ""
}

function enters(plot, {x: places, y}) {
  return places.some((place, n) => Number.isFinite(y[n]) && plot.shows(plot.x(place)) && off(plot, plot.y(y[n])) == "")
}

// Where curves leave the axes, and how far they go.
function beyond(plot, curves, floor) {
  const near = Math.max(EXCURSION * (plot.right - plot.left), BEYOND * plot.type)
  return ["▴", "▾"].flatMap((edge) => {
    const points = curves.flatMap((curve) => outside(plot, curve, edge))
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
      const text = `${edge} ${figure}`
      const part = (x - plot.left) / (plot.right - plot.left)
      const [middle, wide] = [Math.max(plot.left + 2, Math.min(plot.right - 2, x)), LETTER * plot.type * text.length]
      const [left, top] = [middle - part * wide, low ? plot.bottom - plot.type - 4 : plot.top + 1]
      return {
        x: middle,
        y: top,
        part,
        text,
        box: {left, right: left + wide, top, bottom: top + GAP * plot.type},
        tip: `${low ? "Down" : "Up"} to ${figure} at step ${count(step)}: off this axis.`,
      }
    })
  })
}

function outside(plot, {step, x: places, y}, edge) {
  const found = []
  for (let n = 0; n < y.length; n++) {
    const x = plot.x(places[n])
    if (Number.isFinite(y[n]) && plot.shows(x) && off(plot, plot.y(y[n])) == edge) {
      found.push({x, step: step[n], value: y[n]})
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
    const x = plot.x(place(step))
    if (!plot.shows(x)) {
      continue
    }
    const tip = `step ${count(step)}: ${label}`
    if (groups.length > 0 && x - groups.at(-1).x < least) {
      groups.at(-1).labels.push(label)
      groups.at(-1).tips.push(tip)
    } else {
      groups.push({x, labels: [label], tips: [tip]})
    }
  }
  return groups.map(({x, labels, tips}, n) => {
    const width = Math.max(least, (groups[n + 1]?.x ?? plot.end) - x - 2)
    const text = gathered(labels, width / (LETTER * plot.type))
    return {x, y: plot.top - plot.type - 6, width, text, tip: tips.join("\n")}
  })
}

// A run that ended in a divergence was not changed by it.
function gathered(labels, letters) {
  const changes = labels.filter((label) => label != DIVERGED)
  return changes.length > 1 ? `${changes.length} changes` : short(changes[0] ?? labels[0], letters)
}

function short(label, letters) {
  return label.length < letters ? label : label.replace(/^.*→ /, "→ ")
}
