// A plot on which the loss to come is drawn with the finger, the mouse or the arrow keys; later the
// curves of all over that of the run.

import {h, svg} from "./elements.js"
import {line, log_scale} from "./charts.js"
import {tick} from "../numbers.js"

const PLACES = 40 // across
const WIDTH = 480
const HEIGHT = 220
const LEFT = 44
const BOTTOM = 22
const TOP = 12
const NUDGE = 0.04 // of the height, by an arrow key

const x_of = (part) => LEFT + (WIDTH - LEFT - 6) * part
const y_of = (part) => TOP + (HEIGHT - BOTTOM - TOP) * (1 - part)

export class Drawing {
  element
  #heights = Array(PLACES).fill(null) // from 0 to 1
  #last = null // the place where the pointer was
  #at = 1 // ... and the keys are
  #line
  #cursor
  #send
  #axes

  constructor(axes, mine, send) {
    this.#axes = axes
    this.#send = send
    this.#line = line([], {class: "mine"})
    this.#cursor = svg("circle", {r: 5, class: "cursor", cx: -20, cy: -20})
    this.element = frame(axes, "Draw the loss to come. Arrow keys: left and right to move, up and down to draw.", this.#line, this.#cursor)
    this.element.setAttribute("tabindex", "0")
    this.element.setAttribute("role", "application")
    this.element.classList.add("draws")
    this.#heights[0] = Math.max(0, Math.min(1, log_scale(axes.low, axes.high)(axes.now)))
    for (const [x, y] of mine ?? []) {
      this.#heights[Math.round(x * (PLACES - 1))] = y
    }
    for (const [event, listener] of [["pointerdown", this.#down], ["pointermove", this.#move], ["pointerup", this.#up],
      ["pointercancel", this.#up], ["keydown", this.#press]]) {
      this.element.addEventListener(event, listener)
    }
    this.#show()
  }

  get points() {
    return this.#heights.flatMap((height, n) => (height == null ? [] : [[n / (PLACES - 1), height]]))
  }

  #down = (event) => {
    this.element.setPointerCapture(event.pointerId)
    this.#last = null
    this.#move(event)
  }

  #move = (event) => {
    if (!this.element.hasPointerCapture(event.pointerId)) {
      return
    }
    const box = this.element.getBoundingClientRect()
    const part = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - 6)
    const height = 1 - ((event.clientY - box.top) / box.height * HEIGHT - TOP) / (HEIGHT - BOTTOM - TOP)
    const place = Math.max(1, Math.min(PLACES - 1, Math.round(part * (PLACES - 1))))
    this.#put(place, Math.max(0, Math.min(1, height)))
  }

  // What a fast finger has passed over is drawn as well.
  #put(place, height) {
    const from = this.#last ?? place
    const before = this.#heights[from] ?? height
    const step = Math.sign(place - from) || 1
    for (let n = from; n != place + step; n += step) {
      const part = place == from ? 1 : (n - from) / (place - from)
      this.#heights[n] = before + part * (height - before)
    }
    this.#heights[place] = height
    this.#last = place
    this.#show()
  }

  #up = () => {
    if (this.points.length > 1) {
      this.#send(this.points)
    }
  }

  #press = (event) => {
    const steps = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, NUDGE], ArrowDown: [0, -NUDGE]}[event.key]
    if (steps == null) {
      return
    }
    event.preventDefault()
    event.stopPropagation()
    const before = this.#level(this.#at)
    this.#at = Math.max(1, Math.min(PLACES - 1, this.#at + steps[0]))
    this.#last = Math.max(0, this.#at - 1)
    const height = steps[1] == 0 ? this.#heights[this.#at] ?? before : Math.max(0, Math.min(1, this.#level(this.#at) + steps[1]))
    this.#put(this.#at, height)
    this.#cursor.setAttribute("cx", x_of(this.#at / (PLACES - 1)))
    this.#cursor.setAttribute("cy", y_of(height))
    this.#send(this.points)
  }

  #level(place) {
    return this.#heights.slice(0, place + 1).findLast((height) => height != null) ?? 0.5
  }

  #show() {
    this.#line.setAttribute("points", self_points(this.points))
  }
}

// All curves that were drawn, one's own, and how it went.
export function compared({axes, curves = [], predicted, truth = []}) {
  const up = log_scale(axes.low, axes.high)
  const clipped = (loss) => Math.max(0, Math.min(1, up(loss)))
  const run = [[axes.step, axes.now], ...truth].map(([step, loss]) => [(step - axes.step) / axes.steps, clipped(loss)])
  return h("div", {},
    frame(axes, `${curves.length} curves that were drawn, and the loss of the run over them`,
      ...curves.map((curve) => placed(curve, "drawn")),
      predicted && placed(predicted, "mine"),
      run.length > 1 && placed(run, "truth")),
    h("p", {class: "quiet"}, h("i", {class: "sample drawn"}), "drawn ", predicted && h("i", {class: "sample mine"}),
      predicted && "yours ", h("i", {class: "sample truth"}), "the run"))
}

function placed(points, kind) {
  return line(points.map(([x, y]) => [x_of(x), y_of(y)]), {class: kind})
}

function self_points(points) {
  return points.map(([x, y]) => `${x_of(x).toFixed(1)},${y_of(y).toFixed(1)}`).join(" ")
}

function frame(axes, label, ...parts) {
  const up = log_scale(axes.low, axes.high)
  const ticks = [axes.low, Math.sqrt(axes.low * axes.high), axes.high]
  const text = (x, y, label, anchor) => svg("text", {x, y, "text-anchor": anchor}, label)
  return svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "plot"},
    ...ticks.flatMap((value) => [
      svg("line", {x1: LEFT, x2: WIDTH - 6, y1: y_of(up(value)), y2: y_of(up(value)), class: "grid"}),
      text(LEFT - 5, y_of(up(value)) + 4, tick(Number(value.toPrecision(2))), "end"),
    ]),
    text(x_of(0), HEIGHT - 6, "now", "start"),
    text(LEFT + 4, TOP + 14, "loss", "start"),
    text(WIDTH - 6, HEIGHT - 6, `${axes.steps.toLocaleString("en")} steps on`, "end"),
    svg("circle", {cx: x_of(0), cy: y_of(up(axes.now)), r: 4, class: "start"}),
    ...parts)
}
