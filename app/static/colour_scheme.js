// Light or dark: as the visitor chose last, or else as the visitor's system is.

import {page_model} from "./screen.js"
import {built} from "./views.js"

const KEY = "babysit colour scheme" // in the browser's storage: "dark" or "light"
const DARK = "#121212" // Material's, until its own styles are there

export function remember_scheme() {
  if (is_dark()) {
    document.documentElement.style.background = DARK // no white flash while Bokeh builds the page
  }
  look_for_page()
}

// Before anything is drawn, or the page would be white at first.
function look_for_page() {
  const page = page_model()
  if (page != null) {
    take_up(page)
  } else {
    requestAnimationFrame(look_for_page)
  }
}

function take_up({data}) {
  if (is_dark()) {
    components().forEach((component) => { component.dark_theme = true }) // each paints the page in its own theme
    built.then(() => { document.documentElement.style.background = "" })
  }
  data.properties.dark_theme.change.connect(() => keep(data.dark_theme ? "dark" : "light"))
}

function components() {
  const models = [...window.Bokeh.documents[0].all_models]
  return models.map(({data}) => data).filter((component) => component?.dark_theme === false)
}

function is_dark() {
  const scheme = kept()
  return scheme == null ? matchMedia("(prefers-color-scheme: dark)").matches : scheme == "dark"
}

function kept() {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null // a browser that keeps nothing
  }
}

function keep(scheme) {
  try {
    localStorage.setItem(KEY, scheme)
  } catch {}
}
