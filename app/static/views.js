// The plots of the page: places for them, which come and go with tabs, and what is drawn there.
//
// A drawing is a document of Bokeh's of its own, over sources that frames fill. It outlives its place:
// when that comes back, the plot is shown again as it was.

import {find} from "./find.js"
import {Overlay} from "./overlay.js"
import {bring_to_light, turn_back} from "./tabs.js"

const PATIENCE = 5000 // milliseconds for a plot to be drawn
const COUNTER = "[data-text=step]" // in the header, which is built with the places

let resolve_built = null
// Once there is something to show frames in: places for plots, and the header.
export const built = new Promise((resolve) => { resolve_built = resolve })
export const be_built = () => resolve_built()

const places = new Map() // by the names of views, those that are in the page
const plots = new Map() // ... those that have been drawn
const attendants = [] // called with each figure that can be seen, and the element that holds it
let pointed_at = ""

export class Place extends HTMLElement {
  connectedCallback() {
    if (places.size == 0) {
      look_for_header()
    }
    places.set(this.view, this)
    this.classList.toggle("pointed-at", this.view == pointed_at)
    plots.get(this.view)?.show(this)
  }

  disconnectedCallback() {
    if (places.get(this.view) == this) {
      places.delete(this.view)
    }
  }

  get view() {
    return this.getAttribute("name")
  }
}

customElements.define("babysit-view", Place)

function look_for_header() {
  if (find(document.body, COUNTER) != null) {
    be_built()
  } else {
    requestAnimationFrame(look_for_header)
  }
}

class Plot {
  #headline
  #document
  #models
  #shown = Promise.resolve()

  constructor({headline, plot}) {
    this.#headline = headline
    this.#document = window.Bokeh.require("document").Document.from_json(plot)
    const named = [...this.#document.all_models].filter(({name}) => name != null)
    this.#models = new Map(named.map((model) => [model.name, model]))
  }

  model(name) {
    return this.#models.get(name)
  }

  get figures() {
    const roots = this.#document.views_manager?.roots ?? []
    return roots.filter((view) => view.model.type == "Figure") // not what belongs to their tools
  }

  get shown() {
    return this.#shown
  }

  show(place) {
    place.innerHTML = this.#headline
    const figures = document.createElement("div")
    figures.className = "figures"
    place.append(figures)
    this.#shown = this.#shown.then(() => this.#build(figures)).catch((error) => console.error(error))
  }

  async #build(figures) {
    this.#tear_down()
    const roots = this.#document.roots().map(() => figures)
    await window.Bokeh.embed.add_document_standalone(this.#document, figures, roots)
    for (const figure of this.figures) {
      new Overlay(figure, (name) => this.model(name), figures)
      attendants.forEach((attend) => attend(figure, figures))
    }
    be_reached(figures)
  }

  #tear_down() {
    this.#document.views_manager?.clear()
    this.#document.views_manager = null
  }

  async remove() {
    await this.#shown
    this.#tear_down()
    const {documents} = window.Bokeh
    documents.splice(documents.indexOf(this.#document), 1)
    this.#document.clear({sync: false})
  }
}

// Where a card is too narrow for its figures they can be scrolled, by the keyboard as well.
function be_reached(figures) {
  const look = () => {
    if (figures.scrollWidth > figures.clientWidth) {
      figures.tabIndex = 0
    } else {
      figures.removeAttribute("tabindex")
    }
  }
  new ResizeObserver(look).observe(figures)
}

export function attend(attendant) {
  attendants.push(attendant)
}

export function draw(view, drawing) {
  plots.get(view)?.remove()
  const plot = new Plot(drawing)
  plots.set(view, plot)
  if (places.has(view)) {
    plot.show(places.get(view))
  }
}

// Once everything that was drawn can be seen.
export function drawn() {
  return Promise.all([...plots.values()].map((plot) => plot.shown))
}

// A source, or whatever else has a name in a plot.
export function model(name) {
  for (const plot of plots.values()) {
    const found = plot.model(name)
    if (found != null) {
      return found
    }
  }
  return null
}

// The figures of a view, as soon as they can be seen; the tab that it is in is opened for that.
export async function figures_of(view) {
  if (places.has(view)) {
    bring_to_light(places.get(view))
  }
  const until = performance.now() + PATIENCE
  while (!plots.has(view) && performance.now() < until) {
    await new Promise(requestAnimationFrame)
  }
  await plots.get(view)?.shown
  return plots.get(view)?.figures ?? []
}

// Those that it has just now.
export function figures_in(view) {
  return plots.get(view)?.figures ?? []
}

// What the headline of a view says.
export function words_of(view) {
  const headline = places.get(view)?.querySelector(".headline")
  const keys = [...headline?.querySelectorAll(".key") ?? []].filter((key) => key.textContent.trim() != "")
  return {
    title: headline?.querySelector("h2")?.textContent ?? view,
    keys: keys.length == 0 ? [] : [keys.map((key) => key.textContent.trim()).join("   ")],
  }
}

export function in_sight() {
  const seen = [...places].filter(([_, place]) => {
    const {width, bottom, top} = place.getBoundingClientRect()
    return width > 0 && bottom > 0 && top < window.innerHeight
  })
  return seen.map(([view, _]) => view)
}

export function point_at(view) {
  pointed_at = view
  if (places.has(view)) {
    bring_to_light(places.get(view))
    scroll_to(places.get(view))
  }
  for (const [name, place] of places) {
    place.classList.toggle("pointed-at", name == view)
  }
}

// There is nothing in this view any more.
export function turn_from(view) {
  if (places.has(view)) {
    turn_back(places.get(view))
  }
}

// Its place may lie below the edge of a small screen, or be hidden until the page has changed.
async function scroll_to(place) {
  const until = performance.now() + PATIENCE
  while (!place.checkVisibility() && performance.now() < until) {
    await new Promise(requestAnimationFrame)
  }
  place.scrollIntoView({block: "nearest"})
}

// What several plots have in their headlines.
export function in_headlines(selector, act) {
  for (const place of places.values()) {
    place.querySelectorAll(selector).forEach(act)
  }
}

export function press(button) {
  const pressed = button.ariaPressed != "true"
  button.ariaPressed = String(pressed)
  model(`switch:${button.dataset.switch}`)?.execute({pressed}, {pressed})
}
