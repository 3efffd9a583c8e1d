// Where somebody points in a plot over the run, all of them show that step: by a line, and by what their
// curves say there.

import {count, number, tick} from "./numbers.js"
import {epoch_of, place, step_at} from "./time_axis.js"
import {model} from "./views.js"
import {is_over_run, pointer_in} from "./zooming.js"

const NEAR = 10 // pixels from a line within which it is meant
const BESIDE = 8 // pixels from the line to the box

const readouts = new Set()
let pointed = null // the figure, and how far from its left side: the axis may move below the pointer

export function show_where_pointed(figure, host) {
  if (!is_over_run(figure)) {
    return
  }
  const readout = new Readout(figure, host)
  readouts.add(readout)
  host.addEventListener("pointermove", (event) => point(figure, event))
  host.addEventListener("pointerdown", (event) => point(figure, event))
  for (const event of ["pointerleave", "pointercancel"]) {
    host.addEventListener(event, () => point(null))
  }
  figure.repainted.connect(() => readout.update())
}

function point(figure, event) {
  const {x, inside} = figure == null ? {inside: false} : pointer_in(figure, event)
  pointed = inside ? {figure, x} : null
  for (const readout of readouts) {
    readout.update()
  }
}

// The step pointed at: the nearest that the curves have.
function step_pointed_at() {
  const {figure, x} = pointed
  const {step = []} = model(lines_of(figure)[0].source)?.data ?? {}
  return step[nearest(step, step_at(figure.frame.x_scale.invert(x)))]
}

function lines_of(figure) {
  return figure.model.tags.find((tag) => tag.lines != null).lines
}

// The row of an ascending column that is nearest to a value.
function nearest(column, value) {
  let [low, high] = [0, column.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (column[middle] <= value) {
      low = middle
    } else {
      high = middle
    }
  }
  return high < 0 ? -1 : Math.abs(column[high] - value) < Math.abs(column[low] - value) ? high : low
}

// The label of the line that runs closest to a pointer, if one runs near it.
export function line_near(figure, event) {
  if (!is_over_run(figure) || !pointer_in(figure, event).inside) {
    return null
  }
  const {x, y} = pointer_in(figure, event)
  const step = step_at(figure.frame.x_scale.invert(x))
  const {y_scale} = figure.frame
  const lines = lines_of(figure).map(({label, source, columns}) => {
    const data = model(source)?.data ?? {step: []}
    const row = nearest(data.step, step)
    const ends = columns.map((column) => y_scale.compute(data[column]?.[row]))
    const within = columns.length > 1 && Math.min(...ends) <= y && y <= Math.max(...ends)
    return {label, away: within ? NEAR : Math.min(...ends.map((end) => Math.abs(end - y)))}
  })
  const closest = lines.sort((a, b) => a.away - b.away).find(({away}) => away <= NEAR)
  return closest?.label ?? null
}

class Readout {
  #figure
  #root = document.createElement("div")
  #line = document.createElement("i")
  #box = document.createElement("div")

  constructor(figure, host) {
    this.#figure = figure
    this.#root.className = "readout"
    this.#root.hidden = true
    this.#root.setAttribute("aria-hidden", "true") // the plot's own words tell more
    this.#root.append(this.#line, this.#box)
    host.append(this.#root)
  }

  update() {
    if (!this.#figure.el.isConnected) {
      readouts.delete(this) // drawn anew
      return
    }
    const step = pointed == null ? null : step_pointed_at()
    const {x_scale, bbox} = this.#figure.frame
    const x = step == null ? NaN : x_scale.compute(place(step))
    this.#root.hidden = !(x >= bbox.left - 1 && x <= bbox.right + 1)
    if (this.#root.hidden) {
      return
    }
    const {offsetLeft, offsetTop} = this.#figure.el
    Object.assign(this.#root.style, {
      left: `${offsetLeft + bbox.left}px`, top: `${offsetTop + bbox.top}px`,
      width: `${bbox.width}px`, height: `${bbox.height}px`,
    })
    this.#line.style.left = `${x - bbox.left}px`
    this.#fill(step)
    const left = x - bbox.left + BESIDE
    const fits = left + this.#box.offsetWidth <= bbox.width
    this.#box.style.left = `${fits ? left : Math.max(0, left - 2 * BESIDE - this.#box.offsetWidth)}px`
    this.#box.classList.toggle("low", this.#lies_high(step))
  }

  #fill(step) {
    const head = [`step ${count(step)}`, `epoch ${tick(Number(epoch_of(step).toPrecision(3)))}`]
    const rows = [...this.#own(step), ...this.#others(place(step))]
    this.#box.replaceChildren(part(head.join(" · ")), ...rows.map(({label, colour, text}) => part(`${label} ${text}`, colour)))
  }

  // Whether the first curve runs through the upper half of the plot there, where it would be hidden.
  #lies_high(step) {
    const [{source, columns}] = lines_of(this.#figure)
    const data = model(source)?.data ?? {step: []}
    const y = this.#figure.frame.y_scale.compute(data[columns[0]]?.[nearest(data.step, step)])
    const {top, height} = this.#figure.frame.bbox
    return y < top + height / 2
  }

  // Values of this run's curves, each with its step where it has none at the one pointed at.
  #own(at) {
    return lines_of(this.#figure).flatMap(({label, colour, source, columns}) => {
      const data = model(source)?.data ?? {step: []}
      const row = nearest(data.step, at)
      const values = columns.map((column) => data[column]?.[row])
      const known = values.every((value) => Number.isFinite(value))
      const elsewhere = data.step[row] == at ? "" : ` (step ${count(data.step[row])})`
      return known ? [{label, colour, text: [...new Set(values.map((value) => this.#format(value)))].join(" to ") + elsewhere}] : []
    })
  }

  #others(at) {
    const {x = [], y, label, colour} = model(`${this.#figure.model.name.replace("view:", "")}.ghosts`)?.data ?? {}
    return Array.from(x).flatMap((places, n) => {
      const there = label[n] != "" && places[0] <= at && at <= places.at(-1)
      return there ? [{label: label[n], colour: colour[n], text: this.#format(y[n][nearest(places, at)])}] : []
    })
  }

  #format(value) {
    const {floor, shares} = this.#figure.model.tags.find((tag) => tag.lines != null)
    return shares ? `${tick(100 * value)}\u00a0%` : value <= floor ? "0" : number(value)
  }
}

function part(text, colour) {
  const made = document.createElement("span")
  made.textContent = text
  made.style.color = colour ?? ""
  return made
}
