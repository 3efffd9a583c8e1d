// The pointer as a question mark: what is pressed then is explained, and nothing is pressed or turned by it.
//
// A layer over the page takes every press. Which thing lies below app/static/explanations.js finds out, and
// what there is to say of it the server: app/explanations/question_mark.py.

import {go_to_lesson} from "./course.js"
import {send} from "./events.js"
import {element_at, know, knows_any, outwards, thing_of} from "./explanations.js"
import {find, focused} from "./find.js"

const KIND = "explain" // of the messages that ask
const STILL = 6 // pixels within which a finger has not dragged
const NARROW = 600 // pixels: up to this width answers come as a sheet from below
const GAP = 8 // pixels between a thing and its answer
const HINT = "Press on anything to learn what it is"
const BY_KEYS = ", or Tab to it and Enter" // where there is a keyboard
const ENTERS = ["Enter", " "]
const ASKS = "q"
const WRITTEN_IN = "textarea, select, [contenteditable], [role=listbox], [role=menu], input:not([type=range], [type=checkbox], [type=radio])"
const ARROWS = ["ArrowLeft", "ArrowRight"] // they go from tab to tab

let mark = null // the only one

// The server says which things it can explain.
export function explainable(keys) {
  know(JSON.parse(keys))
  mark?.ask_what_waits()
}

// ... and explains one.
export function explained(thing, text) {
  mark?.show(thing, text)
}

export class QuestionMark {
  #host = document.createElement("babysit-question-mark")
  #layer = part("div", "layer")
  #frame = part("div", "frame")
  #answer = part("section", "answer")
  #text = part("div", "text")
  #on = false
  #asked = null // what was asked for: its element, its name, and where its answer belongs
  #before = null // what had the focus when it was asked for
  #waiting = null // asks what was pressed before the server had said what can be explained
  #drag = null // where a finger went down, and whether it has moved since

  constructor(css) {
    mark = this
    const style = document.createElement("style")
    style.textContent = css
    this.#layer.popover = this.#answer.popover = "manual"
    this.#layer.append(this.#frame, this.#hint())
    this.#answer.tabIndex = -1
    this.#answer.setAttribute("role", "dialog")
    this.#answer.setAttribute("aria-label", "What is this?")
    this.#answer.append(this.#text, button("Close", () => this.#close()))
    this.#host.attachShadow({mode: "open"}).append(style, this.#layer, this.#answer)
    document.body.append(this.#host)
    for (const [kind, listener] of [["pointerdown", this.#hold], ["pointermove", this.#point], ["click", this.#press], ["wheel", this.#scroll]]) {
      this.#layer.addEventListener(kind, listener)
    }
    this.#answer.addEventListener("click", this.#follow)
    window.addEventListener("keydown", this.#key, true)
    window.addEventListener("keyup", this.#release, true)
    document.addEventListener("click", (event) => {
      if (event.composedPath().some(({dataset}) => dataset?.explains != null)) {
        find(document.body, "#menus:popover-open")?.hidePopover()
        this.toggle()
      }
    })
  }

  #hint() {
    const hint = part("p", "hint")
    const text = part("span", "text")
    const keys = part("span", "by-keys")
    keys.textContent = BY_KEYS
    text.append(HINT, keys, ".")
    hint.append(text, button("Done", () => this.#stop()))
    hint.addEventListener("click", (event) => event.stopPropagation())
    return hint
  }

  toggle() {
    this.#on ? this.#stop() : this.#start()
  }

  #start() {
    this.#on = true
    if (!knows_any()) {
      send(KIND, "")
    }
    // A dialog of Material keeps the focus within itself; a modal one lets nothing outside of it be pressed.
    const modal = document.querySelector("dialog:modal")
    const parent = modal ?? find(document.body, ".MuiDialog-root [role=dialog]") ?? document.body
    modal?.addEventListener("close", () => this.#on && this.#stop(), {once: true})
    parent.append(this.#host)
    this.#layer.showPopover()
    this.#frame_around(null)
    this.#show_pressed()
  }

  #stop() {
    this.#close()
    this.#on = false
    this.#layer.hidePopover()
    document.body.append(this.#host)
    this.#show_pressed()
  }

  #show_pressed() {
    const pressed = find(document.body, "[data-explains]")
    if (pressed != null) {
      pressed.ariaPressed = String(this.#on)
    }
  }

  // ---- what is pointed at ------------------------------------------------------------------------

  #below({clientX, clientY}) {
    this.#layer.style.pointerEvents = "none"
    const element = element_at(clientX, clientY)
    this.#layer.style.pointerEvents = ""
    return element
  }

  #point = (event) => {
    if (this.#drag != null && event.buttons > 0) {
      this.#drag_page(event)
      return
    }
    this.#frame_around(thing_of(this.#below(event), event)?.element)
  }

  #frame_around(element) {
    this.#frame.hidden = element == null
    if (element != null) {
      const {left, top, width, height} = element.getBoundingClientRect()
      Object.assign(this.#frame.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`})
    }
  }

  #press = (event) => {
    if (this.#drag?.moved) {
      return
    }
    const element = this.#below(event)
    if ([...outwards(element)].some(({dataset}) => dataset?.explains != null)) {
      this.#stop()
      return
    }
    this.#once_known(() => this.#ask_at(element, event))
  }

  #ask_at(element, {clientX, clientY}) {
    const found = thing_of(element, {clientX, clientY})
    if (found != null) {
      this.#frame_around(found.element)
      const near = found.thing.startsWith("view ") || found.element.localName == "babysit-view"
      this.#ask(found, near ? new DOMRect(clientX, clientY, 0, 0) : found.element.getBoundingClientRect())
    }
  }

  // The layer covers what can be scrolled: it is scrolled as if it did not.
  #scroll = (event) => {
    scroll(this.#below(event), event.deltaX, event.deltaY)
  }

  #hold = ({clientX, clientY}) => {
    this.#drag = {x: clientX, y: clientY, moved: false}
  }

  #drag_page(event) {
    const {x, y, moved} = this.#drag
    const [dx, dy] = [x - event.clientX, y - event.clientY]
    if (moved || Math.hypot(dx, dy) > STILL) {
      this.#drag = {x: event.clientX, y: event.clientY, moved: true}
      this.#frame_around(null)
      scroll(this.#below(event), dx, dy)
    }
  }

  // ---- by keyboard -------------------------------------------------------------------------------

  #key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return
    }
    if (!this.#on) {
      if (event.key == ASKS && !event.composedPath().some((element) => element.matches?.(WRITTEN_IN))) {
        take(event)
        this.#start()
      }
      return
    }
    const own = event.composedPath().includes(this.#host)
    const turns = ARROWS.includes(event.key) && focused()?.matches("[role=tab]")
    if (event.key == "Escape" || event.key == ASKS) {
      take(event)
      this.#asked != null && event.key == "Escape" ? this.#close() : this.#stop()
    } else if (own) {
      event.stopImmediatePropagation() // the keys of the page do not act here
    } else if (event.key != "Tab" && !turns) {
      take(event)
      if (ENTERS.includes(event.key) && !event.repeat) {
        this.#once_known(() => this.#ask_focused())
      }
    }
  }

  // Buttons act when space is released, and only when Tab is released has the focus moved.
  #release = (event) => {
    if (!this.#on || event.composedPath().includes(this.#host)) {
      return
    }
    if (event.key == " ") {
      take(event)
    }
    if (event.key == "Tab") {
      this.#frame_around(thing_of(focused())?.element)
    }
  }

  #ask_focused() {
    const found = thing_of(focused())
    if (found != null) {
      this.#frame_around(found.element)
      this.#ask(found, found.element.getBoundingClientRect())
    }
  }

  // ---- the answer --------------------------------------------------------------------------------

  #once_known(ask) {
    if (knows_any()) {
      ask()
    } else {
      this.#waiting = ask
    }
  }

  ask_what_waits() {
    const ask = this.#waiting
    this.#waiting = null
    if (this.#on) {
      ask?.()
    }
  }

  #ask({thing, key}, place) {
    this.#before = this.#asked == null ? focused() : this.#before
    this.#asked = {thing, place}
    send(KIND, thing, key)
  }

  show(thing, text) {
    if (!this.#on || this.#asked?.thing != thing) {
      return
    }
    this.#text.innerHTML = text // escaped by the server
    this.#answer.hidePopover()
    this.#answer.showPopover()
    this.#put(this.#asked.place)
    this.#answer.focus({preventScroll: true})
  }

  // Below the thing, or above it where there is more space; on a small screen the sheet has its own place.
  #put({left, top, bottom}) {
    const {offsetWidth, offsetHeight, style} = this.#answer
    if (window.innerWidth <= NARROW) {
      Object.assign(style, {left: "", top: ""})
      return
    }
    const below = bottom + GAP
    const fits = below + offsetHeight <= window.innerHeight - GAP
    const above = Math.max(GAP, top - GAP - offsetHeight)
    const beside = Math.max(GAP, Math.min(left, window.innerWidth - offsetWidth - GAP))
    Object.assign(style, {left: `${beside}px`, top: `${fits ? below : above}px`})
  }

  #close() {
    if (this.#asked != null) {
      this.#asked = null
      this.#answer.hidePopover()
      this.#before?.focus({preventScroll: true})
    }
  }

  #follow = (event) => {
    const slug = event.target.dataset.lesson
    if (slug != null) {
      event.preventDefault()
      this.#stop()
      go_to_lesson(slug)
    }
  }
}

function part(kind, name) {
  const made = document.createElement(kind)
  made.className = name
  return made
}

function button(label, act) {
  const made = part("button", "outlined")
  made.type = "button"
  made.textContent = label
  made.addEventListener("click", act)
  return made
}

function take(event) {
  event.preventDefault()
  event.stopImmediatePropagation()
}

function scroll(element, x, y) {
  for (const around of outwards(element)) {
    const before = [around.scrollLeft, around.scrollTop]
    around.scrollBy?.(x, y)
    if (around.scrollLeft != before[0] || around.scrollTop != before[1]) {
      return
    }
  }
}
