// Fits the page to the screen it is on.

import {forget_new_models} from "./bokeh_patches.js"
import {find} from "./find.js"

const SETTLED = 400 // milliseconds after which the sidebar has gone or come

// Null until Bokeh has the page.
export function page_model() {
  const models = window.Bokeh?.documents[0]?.all_models ?? []
  return [...models].find((model) => model.class_name == "Page") ?? null
}

let covered_below = 0 // pixels of width, below which the sidebar covers the plots

export function uncover() {
  if (window.innerWidth < covered_below) {
    page_model().data.sidebar_open = false
  }
}

export function fit(narrowest) {
  const page = page_model()
  covered_below = narrowest
  uncover()
  for (const event of ["pointerdown", "keydown", "input", "drop"]) { // a file may come without a press
    window.addEventListener(event, forget_new_models, true)
  }
  // When the sidebar opens or closes, the document keeps its size, so plots get no resize event.
  for (const changed of [page.data.properties.sidebar_open, page.data.properties.sidebar_width]) {
    changed.change.connect(() => setTimeout(relayout, SETTLED))
  }
  window.Bokeh.documents[0].on_change(mend_once_settled)
  measure_header()
}

let mending = false // whether `mend` is due
let changed = false // ... and the document has changed since

// Mends once after many changes, such as those of a panel that is being built.
function mend_once_settled() {
  changed = mending
  if (!mending) {
    mending = true
    setTimeout(() => {
      mending = false
      mend()
      if (changed) {
        mend_once_settled()
      }
    }, SETTLED)
  }
}

// Plots get none either when the words above them take another line (Panel 1.10.0).
function mend() {
  const plots = [...window.Bokeh.documents[0].all_models].filter((model) => model.type == "Figure")
  const views = plots.map((plot) => window.Bokeh.index.find_one(plot)).filter((view) => view != null)
  if (views.some(({el, bbox}) => Math.abs(el.clientHeight - bbox.height) > 1)) {
    relayout()
  }
}

// Measures the header, which wraps on narrow screens: everything else begins below it.
function measure_header() {
  const header = find(document.body, "header")
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--header", `${header.offsetHeight}px`)
  }).observe(header)
}

function relayout() {
  for (const view of window.Bokeh.index) {
    view.invalidate_layout?.()
  }
}
