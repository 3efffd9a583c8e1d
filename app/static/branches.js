// The tree of branches beside the timeline: a line for each, along the same steps; a press goes there.

import {count} from "./numbers.js"
import {finder} from "./find.js"

const ROW = 44 // pixels
const WIDTH = 260 // of the picture, at most
const PART = 0.22 // ... and of the window
const EDGE = 7
const HERE = "you are here"
const find_open = finder(".timeline .open") // what opens the tree
const SVG = "http://www.w3.org/2000/svg"

export class Branches {
  #twigs = []
  #drawn = "" // what the tree was last drawn of

  // The steps at which other branches left a run.
  left(run) {
    return this.#twigs.filter((twig) => twig.parent == run).map((twig) => twig.since)
  }

  know(twigs) {
    this.#twigs = twigs
  }

  // `end` is how far the run itself has come; `bend` spaces steps along the tree as on the timeline.
  show(end, bend) {
    const open = find_open()
    if (open == null) {
      return
    }
    const place = open.parentNode.querySelector(".branches")
    const others = this.#twigs.length - 1
    open.hidden = others < 1
    open.textContent = `${others} other branch${others == 1 ? "" : "es"}`
    if (others < 1) {
      place.hidePopover?.()
      return
    }
    const last = Math.max(...this.#twigs.map((twig) => twig.step ?? end), 1)
    const drawn = JSON.stringify([this.#twigs, bend(end, last).toFixed(3), last])
    if (drawn != this.#drawn || place.childElementCount == 0) {
      this.#drawn = drawn
      this.#fill(place, end, (step, width) => EDGE + (width - 2 * EDGE) * bend(step, last))
    }
  }

  #fill(place, end, x) {
    const focused = place.getRootNode().activeElement?.dataset.value
    place.replaceChildren(this.#picture(end, x), ...this.#twigs.map((twig) => line(twig, end)))
    place.querySelector(`[data-value="${focused}"]`)?.focus()
  }

  #picture(end, along) {
    const [width, rows] = [Math.min(WIDTH, PART * window.innerWidth), this.#twigs.length]
    const picture = shape("svg", {width, height: ROW * rows, "aria-hidden": true})
    picture.style.gridRow = `1 / span ${rows}`
    const x = (step) => along(step, width)
    const row = (run) => ROW * (this.#twigs.findIndex((twig) => twig.run == run) + 0.5)
    for (const {run, parent, since, step, status} of this.#twigs) {
      const [from, to, y] = [x(parent == 0 ? 0 : since), x(step ?? end), row(run)]
      const way = parent == 0 ? `M${from} ${y}` : `M${from} ${row(parent)}V${y}`
      const now = status == HERE ? "now" : ""
      picture.append(
        shape("path", {class: now, d: `${way}H${to}`}),
        shape("circle", {class: now, cx: to, cy: y, r: 5}),
      )
    }
    return picture
  }
}

function line({run, parent, since, step, change, status}, end) {
  const button = document.createElement("button")
  const [name, text] = [document.createElement("b"), document.createElement("span")]
  name.textContent = `run ${run}, ${count(step ?? end)} steps`
  text.textContent = [
    status,
    parent == 0 ? "" : `left run ${parent} at step ${count(since)}`,
    change,
  ].filter((part) => part != "").join(" · ")
  button.type = "button"
  button.role = "menuitem"
  button.append(name, text)
  if (status == HERE) {
    button.setAttribute("aria-current", "true")
    button.disabled = true
  } else {
    button.dataset.press = "branch"
    button.dataset.value = run
  }
  return button
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind)
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value)
  }
  return made
}
