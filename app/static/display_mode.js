// Projector mode: larger type everywhere but in the plots of the run, which the server draws anew.
//
// All type on the page is relative to that of its root. The sidebar grows with it, and so does the text in
// plots that the server has drawn in the size for a desk: in the sidebar's panels, below lessons and checks.

import {page_model} from "./screen.js"

const SIZE = /^([\d.]+)px$/

export class DisplayMode {
  #larger // how much larger type is
  #root // the properties of the root by which style sheets know the mode
  #sidebar // the width of the sidebar on a desk
  #projector = false
  #awaits = false // whether what was drawn meanwhile is to be resized with the next frame
  #sizes = new Map() // of type on a desk, by model and property

  constructor({larger, root, sidebar}) {
    this.#larger = larger
    this.#root = Object.entries(root)
    this.#sidebar = sidebar
  }

  // Resize what is drawn later, too.
  listen(page) {
    page.on_change(() => this.#resize_soon())
  }

  show(projector) {
    this.#projector = projector
    const {style} = document.documentElement
    for (const [property, value] of this.#root) {
      style.setProperty(property, projector ? value : "")
    }
    page_model().data.sidebar_width = Math.round(this.#sidebar * this.#scale)
    this.#resize()
  }

  get #scale() {
    return this.#projector ? this.#larger : 1
  }

  #resize_soon() {
    if (this.#projector && !this.#awaits) {
      this.#awaits = true
      requestAnimationFrame(() => {
        this.#awaits = false
        this.#resize()
      })
    }
  }

  #resize() {
    const there = new Map()
    for (const model of window.Bokeh.documents[0].all_models) {
      const sizes = this.#sizes.get(model) ?? sizes_of(model)
      if (sizes.length > 0) {
        there.set(model, sizes)
        write(model, sizes, this.#scale)
      }
    }
    this.#sizes = there
  }
}

// The sizes of type that a model of a plot has, in pixels.
function sizes_of(model) {
  return Object.keys(model.properties).filter((name) => name.endsWith("font_size")).flatMap((name) => {
    const value = model[name]
    const [, pixels] = SIZE.exec(value?.value ?? value) ?? []
    return pixels == null ? [] : [{name, pixels, of_each: value.value != null}]
  })
}

function write(model, sizes, scale) {
  for (const {name, pixels, of_each} of sizes) {
    const size = `${pixels * scale}px`
    const old = model[name]
    if ((of_each ? old.value : old) != size) {
      model.setv({[name]: of_each ? {value: size} : size}, {sync: false})
    }
  }
}
