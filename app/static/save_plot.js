// Saves a plot of the page as a picture, without the server: as it looks now, on the page's own ground,
// under a title, above what tells the run, with all that stands over the plot.

import {margin_of} from "./margins.js"
import {figures_of, model, words_of} from "./views.js"

const PIXELS = 3 // of a PNG for each of the page's: sharp in print
const TYPE = 12 // pixels
const LINE = 1.5 * TYPE
const NAME = 1.15 // of the size of type, from one line of a name to the next
const HALO = 4 // pixels of ground around words that stand on curves
const SVG = "http://www.w3.org/2000/svg"

export async function save(view, kind, note) {
  const figures = await figures_of(view)
  for (const [number, figure] of figures.entries()) {
    const name = figures.length == 1 ? view : `${view}-${number + 1}`
    const picture = kind == "svg" ? new Vector(figure) : new Raster(figure)
    paint(picture, figure, sheet(figure, words_of(view), note))
    download(await picture.blob(), `babysit-${name}.${kind}`)
  }
}

// What stands around the plot: where it lies, and lines of words above and below.
function sheet(figure, {title, keys}, note) {
  const {width, height} = figure.bbox
  const margin = margin_of(figure, model)
  const changes = margin?.flags.flatMap(({tip}) => tip.split("\n")) ?? []
  const letters = Math.max(20, Math.floor(width / (0.52 * TYPE)))
  const below = [note, changes.length > 0 ? `Changes: ${changes.join("; ")}.` : ""].flatMap((text) => wrap(text, letters))
  const top = (1 + keys.length) * LINE + 10
  return {margin, title, keys, below, top, width, height: top + height + below.length * LINE + 10}
}

function wrap(text, letters) {
  return text.match(new RegExp(`\\S.{0,${letters - 1}}(?=\\s|$)|\\S{${letters}}`, "g")) ?? []
}

function paint(picture, figure, {margin, title, keys, below, top, width, height}) {
  const {color, fontFamily} = getComputedStyle(figure.el.parentElement)
  const write = (text, x, y, how = {}) => {
    picture.text(text, {x, y, size: TYPE, colour: color, weight: 400, anchor: "start", family: fontFamily, ...how})
  }
  picture.start(width, height, ground(figure.el), top)
  write(title, 8, LINE, {size: 1.25 * TYPE, weight: 600})
  keys.forEach((text, n) => write(text, 8, (2 + n) * LINE))
  below.forEach((text, n) => write(text, 8, height - 12 - (below.length - 1 - n) * LINE))
  if (margin == null) {
    return
  }
  const {type} = margin
  const middle = 0.35 * type // from the middle of a line of type to its foot
  for (const {x1, y1, x2, y2, colour} of margin.leaders) {
    picture.line({x1, y1: top + y1, x2, y2: top + y2, colour})
  }
  for (const {x, y, text, colour} of margin.names) {
    const lines = text.split("\n")
    lines.forEach((line, n) => {
      const lower = (n - (lines.length - 1) / 2) * NAME * type
      write(line, x, top + y + lower + middle, {size: type, weight: 700, colour})
    })
  }
  for (const {x, y, text, colour} of margin.levels) {
    write(text, x, top + y + type, {size: type, colour, halo: ground(figure.el)})
  }
  const {x: right, y: below_axis, text: unit} = margin.unit
  write(unit, right, top + below_axis + type, {size: type})
  for (const {x, y, text} of margin.zero) {
    write(text, x, top + y + middle, {size: type, anchor: "end"})
  }
  for (const {x, y, text, part} of margin.beyond) {
    const anchor = part < 0.2 ? "start" : part > 0.8 ? "end" : "middle"
    write(text, x, top + y + type, {size: type, anchor, halo: ground(figure.el)})
  }
  const flag = figure.el.parentElement.querySelector(".flag")
  for (const {x, y, text} of margin.flags) {
    write(text, x + 3, top + y + type + 1, {size: type, weight: 600, colour: getComputedStyle(flag).color})
  }
}

// A PNG, every line of which is drawn at its own scale.
class Raster {
  #figure
  #canvas = document.createElement("canvas")
  #pen = this.#canvas.getContext("2d")

  constructor(figure) {
    this.#figure = figure
  }

  start(width, height, ground, top) {
    const {CanvasLayer} = window.Bokeh.loader["core/util/canvas"]
    // Of the browser's own pixels there may be only one for each of the page's.
    class Fine extends CanvasLayer {
      get pixel_ratio() {
        return PIXELS
      }

      get pixel_ratio_changed() {
        return false
      }
    }
    const layer = new Fine("canvas", true)
    const {bbox} = this.#figure
    layer.resize(bbox.width, bbox.height)
    this.#figure.force_paint(() => {
      const pen = layer.prepare()
      this.#figure._paint_primary(pen)
      this.#figure._paint_overlays(pen)
      layer.finish()
    })
    this.#canvas.width = PIXELS * width
    this.#canvas.height = PIXELS * height
    this.#pen.scale(PIXELS, PIXELS)
    this.#pen.fillStyle = ground
    this.#pen.fillRect(0, 0, width, height)
    this.#pen.drawImage(layer.canvas, 0, top, bbox.width, bbox.height)
  }

  text(content, {x, y, size, colour, weight, anchor, family, halo}) {
    this.#pen.font = `${weight} ${size}px ${family}`
    this.#pen.textAlign = anchor == "middle" ? "center" : anchor
    if (halo != null) {
      Object.assign(this.#pen, {strokeStyle: halo, lineWidth: HALO, lineJoin: "round"})
      this.#pen.strokeText(content, x, y)
    }
    this.#pen.fillStyle = colour
    this.#pen.fillText(content, x, y)
  }

  line({x1, y1, x2, y2, colour}) {
    Object.assign(this.#pen, {strokeStyle: colour, lineWidth: 1})
    this.#pen.beginPath()
    this.#pen.moveTo(x1, y1)
    this.#pen.lineTo(x2, y2)
    this.#pen.stroke()
  }

  blob() {
    return new Promise((resolve) => this.#canvas.toBlob(resolve, "image/png"))
  }
}

class Vector {
  #figure
  #root = shape("svg", {})

  constructor(figure) {
    this.#figure = figure
  }

  start(width, height, ground, top) {
    const layer = this.#figure.export("svg", true)
    const drawn = new DOMParser().parseFromString(layer.ctx.get_serialized_svg(true), "image/svg+xml")
    for (const [name, value] of Object.entries({width, height, viewBox: `0 0 ${width} ${height}`})) {
      this.#root.setAttribute(name, value)
    }
    const plot = document.importNode(drawn.documentElement, true)
    plot.setAttribute("y", top)
    this.#root.append(shape("rect", {width: "100%", height: "100%", fill: ground}), plot)
  }

  text(content, {x, y, size, colour, weight, anchor, family, halo}) {
    const text = shape("text", {x, y, fill: colour, "font-size": size, "font-weight": weight, "text-anchor": anchor, "font-family": family})
    if (halo != null) {
      text.setAttribute("style", `stroke: ${halo}; stroke-width: ${HALO}; paint-order: stroke`)
    }
    text.textContent = content
    this.#root.append(text)
  }

  line({x1, y1, x2, y2, colour}) {
    this.#root.append(shape("line", {x1, y1, x2, y2, stroke: colour}))
  }

  blob() {
    return new Blob([new XMLSerializer().serializeToString(this.#root)], {type: "image/svg+xml"})
  }
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind)
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value)
  }
  return made
}

// The first ground behind an element that one cannot see through, shadow roots or not.
function ground(element) {
  for (let at = element; at != null; at = at.parentElement ?? at.getRootNode().host) {
    const colour = getComputedStyle(at).backgroundColor
    if (colour != "transparent" && !/, 0\)$/.test(colour)) {
      return colour
    }
  }
  return "white"
}

function download(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
