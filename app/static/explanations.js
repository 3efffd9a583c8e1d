// Which things of the page are explained, and which of them lies at a place or has the focus.
//
// A thing is called by its kind and name, such as `setting l2` or `view loss`. What is known of things the
// server sends by keys (app/explanations), in which # stands for a number, and * for all words from there.

import {line_near} from "./readout.js"
import {figures_in} from "./views.js"
import {find} from "./find.js"

const BY_DATA = [ // what an element says of itself, and the kind of thing that this is
  ["explain", ""], ["press", "button "], ["text", "number "], ["tab", "tab "], ["axis", "button axis "],
  ["switch", "button switch "], ["stage", "button stage "], ["trace", "trace "], ["writes", "field "],
]
const MARKS = {flag: "mark change", beyond: "mark beyond"} // over a plot
const CONTROLS = "button, input, select, textarea, summary, a[href], [role=combobox], [role=slider], [role=region]"
const SILENT = "[aria-hidden=true], .icon, .material-icons, .MuiIcon-root, .MuiTouchRipple-root"
const OF_A_FIELD = ["Less", "More", "clear"] // buttons beside what they change
const CLOSE = "button close"
const FEW = 3 // controls of one component of Panel, at most

let known = new Set()

export function know(keys) {
  known = new Set(keys)
}

export function knows_any() {
  return known.size > 0
}

// The key by which the server knows a thing; null if it does not.
export function key_of(thing) {
  const words = thing.replace(/\d+/g, "#").split(" ")
  const wider = words.map((_, n) => [...words.slice(0, words.length - 1 - n), "*"].join(" "))
  return [thing, words.join(" "), ...wider].find((key) => known.has(key)) ?? null
}

// The innermost thing that an element belongs to: the element that is the thing, its name and its key.
export function thing_of(element, at = null) {
  for (const around of outwards(element)) {
    for (const thing of names_of(around, at)) {
      const key = key_of(thing)
      if (key != null) {
        return {element: around, thing, key}
      }
    }
  }
  return null
}

// The innermost element at a place, whatever component it is in.
export function element_at(x, y) {
  let element = document.elementFromPoint(x, y)
  while (element?.shadowRoot != null) {
    const inner = element.shadowRoot.elementFromPoint(x, y)
    if (inner?.getRootNode() != element.shadowRoot) { // it is the component itself
      break
    }
    element = inner
  }
  return element
}

export function* outwards(element) {
  for (let at = element; at != null; at = at.assignedSlot ?? at.parentElement ?? at.getRootNode().host) {
    yield at
  }
}

function names_of(element, at) {
  const {dataset} = element
  if (dataset == null) {
    return []
  }
  const named = BY_DATA.filter(([data]) => dataset[data]).map(([data, kind]) => `${kind}${dataset[data]}`)
  return [...named, ...of_plot(element, at), ...of_component(element)]
}

// A number in a headline, what is written over a plot, the line in it that is pointed at, or the view.
function of_plot(element, at) {
  if (element.matches(".key")) {
    return [`number ${element.querySelector("[data-text]")?.dataset.text}`]
  }
  const mark = Object.keys(MARKS).find((name) => element.matches(`.margin .${name}`))
  if (mark != null) {
    return [MARKS[mark]]
  }
  if (element.localName != "babysit-view") {
    return []
  }
  const {view} = element
  return at == null ? [`view ${view}`] : [...written_at(element, at), ...lines_at(view, at), `view ${view}`]
}

// Names of lines and levels, which lie over a plot and receive no pointer events: so their boxes are searched.
function written_at(place, {clientX, clientY}) {
  const written = [...place.querySelectorAll(".margin :is(.name, .level)")].find((word) => {
    const {left, right, top, bottom} = word.getBoundingClientRect()
    return left <= clientX && clientX <= right && top <= clientY && clientY <= bottom
  })
  if (written == null) {
    return []
  }
  const name = written.textContent.replaceAll("\n", " ").replace(/ [▴▾].*/, "") // it may lie beyond the plot
  return written.matches(".level") ? [`mark level ${place.view}`] : [`number ${place.view}.${name}`, "mark run"]
}

function lines_at(view, event) {
  const labels = figures_in(view).map((figure) => line_near(figure, event))
  return labels.filter((label) => label != null).map((label) => `number ${view}.${label}`)
}

// What has no more than a name: a control of a component of Panel, a dialog, the panel of a tab.
function of_component(element) {
  if (element.matches(CONTROLS)) {
    const name = name_of(element)
    return OF_A_FIELD.includes(name) ? [] : name.toLowerCase() == "close" ? [CLOSE] : [`field ${scope_of(element)} ${name}`]
  }
  if (element.matches("[role=dialog]")) {
    return [`dialog ${title_of(element)}`]
  }
  if (element.matches("[role=tabpanel]")) {
    return [`tab ${element.ariaLabel}`]
  }
  const controls = element.shadowRoot?.querySelectorAll(CONTROLS) ?? []
  if (controls.length > 0 && controls.length <= FEW) {
    return [...controls].flatMap(of_component)
  }
  return element.matches(".MuiDrawer-root, main") ? [`panel ${tab()}`] : []
}

// Where names of controls are told apart: a dialog, the header, the class, or the open tab of the sidebar.
function scope_of(element) {
  for (const around of outwards(element)) {
    if (around.matches("[role=dialog]")) {
      return title_of(around)
    }
    if (around.matches("header")) {
      return "page"
    }
    if (around.matches(".babysit-class")) {
      return "Class"
    }
  }
  return tab()
}

function tab() {
  return find(document.body, "[data-message=tab] [aria-selected=true]")?.dataset.tab ?? "Knobs"
}

function title_of(dialog) {
  return words_of(dialog.querySelector(".MuiDialogTitle-root, h2") ?? dialog)
}

export function name_of(element) {
  const label = element.labels?.[0] ?? element.closest(".MuiFormControl-root")?.querySelector("label")
  return element.ariaLabel || (label && words_of(label)) || words_of(element) || element.title
}

function words_of(element) {
  const copy = element.cloneNode(true)
  copy.querySelectorAll(SILENT).forEach((part) => part.remove())
  return copy.textContent.replace(/[\u200b\s]+/g, " ").trim()
}
