// Light or dark: as the visitor chose last, or else as the visitor's system is.

import {page_model} from "./screen.js"
import {built} from "./views.js"

const KEY = "babysit colour scheme" // in the browser's storage: "dark" or "light"
const DARK = "#121212" // Material's, until its own styles are there

export function remember_scheme() {
  if (is_dark()) {
    document.documentElement.style.background = DARK // no white flash while Bokeh builds the page
  }
  built.then(take_up)
}

function take_up() {
  const {data} = page_model()
  if (is_dark()) {
    data.dark_theme = true
    document.documentElement.style.background = ""
  }
  data.properties.dark_theme.change.connect(() => keep(data.dark_theme ? "dark" : "light"))
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
