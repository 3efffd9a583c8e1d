// Zooming by hand in the plots over the run: a drag draws a box, shift and a drag move the axis, control and the
// wheel (or two fingers on a touchpad) magnify, a double click goes back. A finger scrolls the page.

import {height_of, zoom_to, reset_zoom, zoom_by, pan} from "./steps_shown.js"
import {step_at} from "./time_axis.js"

const STILL = 4 // pixels within which a press is no drag
const FLAT = 12 // ... a box that is not higher leaves the heights alone, or not wider the steps
const SPEED = 0.002 // of magnifying, a unit of the wheel

export function zoom_by_hand(figure, host) {
  if (is_over_run(figure)) {
    new Hand(figure, host)
  }
}

export function is_over_run(figure) {
  return figure.model.tags.some((tag) => tag.lines != null)
}

// Where a pointer is, in pixels of a figure, and whether that is between its axes.
export function pointer_in(figure, {clientX, clientY}) {
  const {left, top} = figure.el.getBoundingClientRect()
  const [x, y] = [clientX - left, clientY - top]
  const frame = figure.frame.bbox
  const inside = x >= frame.left && x <= frame.right && y >= frame.top && y <= frame.bottom
  return {x, y, inside}
}

class Hand {
  #figure
  #host
  #box = document.createElement("div")
  #from = null // where a drag began, and what it does
  #dragged = false

  constructor(figure, host) {
    this.#figure = figure
    this.#host = host
    this.#box.className = "box"
    this.#box.hidden = true
    host.append(this.#box)
    const listeners = {pointerdown: this.#press, pointermove: this.#drag, pointerup: this.#release, pointercancel: this.#end,
      dblclick: this.#go_back, wheel: this.#roll}
    for (const [event, listener] of Object.entries(listeners)) {
      host.addEventListener(event, listener, {passive: false})
    }
  }

  #press = (event) => {
    const at = pointer_in(this.#figure, event)
    if (event.button == 0 && event.pointerType != "touch" && at.inside && !event.composedPath()[0].matches?.("button, .beyond")) {
      this.#from = {...at, moves: event.shiftKey}
      this.#dragged = false
    }
  }

  #drag = (event) => {
    const from = this.#from
    if (from == null) {
      return
    }
    const at = pointer_in(this.#figure, event)
    if (!this.#dragged && Math.hypot(at.x - from.x, at.y - from.y) < STILL) {
      return
    }
    if (!this.#dragged) {
      this.#dragged = true
      this.#host.setPointerCapture(event.pointerId)
    }
    if (from.moves) {
      pan((from.x - at.x) / this.#figure.frame.bbox.width)
      this.#move_heights(at.y - from.y)
      this.#from = {...at, moves: true}
    } else {
      this.#show_box(this.#sides(at))
    }
  }

  #release = (event) => {
    const from = this.#from
    if (this.#dragged && !from.moves) {
      const {x, y} = this.#sides(pointer_in(this.#figure, event))
      const {x_scale, y_scale, bbox} = this.#figure.frame
      const [wide, high] = [x[1] - x[0] >= FLAT, y[1] - y[0] >= FLAT]
      const steps = (wide ? x : [bbox.left, bbox.right]).map((pixel) => step_at(x_scale.invert(pixel)))
      const values = high ? [y_scale.invert(y[1]), y_scale.invert(y[0])] : null
      if (wide || high) {
        zoom_to(steps, this.#view, values)
      }
    }
    this.#end()
  }

  #end = () => {
    if (this.#from != null) {
      this.#figure.el.shadowRoot?.activeElement?.blur() // or the plot would be framed, as if by keyboard
    }
    this.#from = null
    this.#dragged = false
    this.#box.hidden = true
  }

  #go_back = (event) => {
    if (pointer_in(this.#figure, event).inside) {
      reset_zoom()
    }
  }

  #roll = (event) => {
    const {x, inside} = pointer_in(this.#figure, event)
    if (inside && (event.ctrlKey || event.metaKey)) {
      event.preventDefault() // it would magnify the page
      const {left, width} = this.#figure.frame.bbox
      zoom_by(Math.exp(SPEED * event.deltaY), (x - left) / width)
    }
  }

  get #view() {
    return this.#figure.model.name.replace("view:", "")
  }

  // The sides of the box from where the drag began; as high as the plot while it is flat, or as wide.
  #sides(at) {
    const {left, right, top, bottom} = this.#figure.frame.bbox
    const between = (value, low, high) => Math.max(low, Math.min(high, value))
    const x = [this.#from.x, between(at.x, left, right)].sort((a, b) => a - b)
    const y = [this.#from.y, between(at.y, top, bottom)].sort((a, b) => a - b)
    return {x, y}
  }

  #show_box({x, y}) {
    const {left, right, top, bottom} = this.#figure.frame.bbox
    const [x1, x2] = x[1] - x[0] >= FLAT ? x : [left, right]
    const [y1, y2] = y[1] - y[0] >= FLAT ? y : [top, bottom]
    const {offsetLeft, offsetTop} = this.#figure.el
    Object.assign(this.#box.style, {
      left: `${offsetLeft + x1}px`, top: `${offsetTop + y1}px`, width: `${x2 - x1}px`, height: `${y2 - y1}px`,
    })
    this.#box.hidden = false
  }

  #move_heights(pixels) {
    const values = height_of(this.#view)
    if (values != null) {
      const {y_scale} = this.#figure.frame
      const moved = values.map((value) => y_scale.invert(y_scale.compute(value) - pixels))
      zoom_to(this.#steps, this.#view, moved)
    }
  }

  get #steps() {
    const {start, end} = this.#figure.model.x_range
    return [start, end].map(step_at)
  }
}
