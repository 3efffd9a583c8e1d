// Saves a plot of the page as a picture, without the server: as it looks now, on the page's own ground.

import {figures_of} from "./views.js"

const PIXELS = 2 // of a PNG for each of the page's

export async function save(view, kind) {
  const figures = await figures_of(view)
  for (const [number, figure] of figures.entries()) {
    const name = figures.length == 1 ? view : `${view}-${number + 1}`
    const layer = figure.export(kind, true)
    download(kind == "svg" ? vector(layer, figure) : await raster(layer, figure), `babysit-${name}.${kind}`)
  }
}

function raster(layer, figure) {
  const picture = document.createElement("canvas")
  const {width, height} = figure.bbox
  picture.width = PIXELS * width
  picture.height = PIXELS * height
  const pen = picture.getContext("2d")
  pen.fillStyle = ground(figure.el)
  pen.fillRect(0, 0, picture.width, picture.height)
  pen.drawImage(layer.canvas, 0, 0, picture.width, picture.height)
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"))
}

function vector(layer, figure) {
  const drawn = new DOMParser().parseFromString(layer.ctx.get_serialized_svg(true), "image/svg+xml")
  const rect = drawn.createElementNS("http://www.w3.org/2000/svg", "rect")
  rect.setAttribute("width", "100%")
  rect.setAttribute("height", "100%")
  rect.setAttribute("fill", ground(figure.el))
  drawn.documentElement.prepend(rect)
  return new Blob([new XMLSerializer().serializeToString(drawn)], {type: "image/svg+xml"})
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
