// Shows on the page what app/static/margins.js has worked out, over a plot; what is told by hover can be
// reached by keyboard, too: the flags of a plot are one stop, and arrow keys go from one to the next.

import {margin_of} from "./margins.js"

const SHOWN = 12 // changes in one tip
const SVG = "http://www.w3.org/2000/svg"

export class Overlay {
  #figure
  #model
  #root = element("div", "margin")
  #leaders = document.createElementNS(SVG, "svg")
  #names = element("div")
  #beyond = element("div")
  #flags = element("div", "flags")
  #unit = element("button", "unit")
  #tip = element("div", "tip")
  #tipped // the element whose tip is shown

  constructor(figure, model, host) {
    this.#figure = figure
    this.#model = model
    for (const part of [this.#leaders, this.#names]) {
      part.setAttribute("aria-hidden", "true") // the plot's own words tell more
    }
    for (const part of [this.#names, this.#beyond]) {
      part.style.inset = "0"
    }
    this.#flags.setAttribute("role", "group")
    this.#flags.setAttribute("aria-label", "Changes")
    this.#tip.setAttribute("role", "tooltip")
    this.#tip.hidden = true
    this.#unit.dataset.axis = "unit"
    this.#unit.hidden = true // of a plot over anything else
    this.#root.append(this.#leaders, this.#names, this.#beyond, this.#unit, this.#flags, this.#tip)
    for (const [event, listener] of [["pointerover", this.#point], ["focusin", this.#point],
      ["pointerout", this.#leave], ["focusout", this.#leave], ["keydown", this.#press]]) {
      this.#root.addEventListener(event, listener)
    }
    host.append(this.#root)
    figure.repainted.connect(() => this.#update())
    this.#update()
  }

  #update() {
    const margin = margin_of(this.#figure, this.#model)
    if (margin == null) {
      return
    }
    const {el} = this.#figure
    Object.assign(this.#root.style, {
      left: `${el.offsetLeft}px`, top: `${el.offsetTop}px`,
      width: `${el.offsetWidth}px`, height: `${el.offsetHeight}px`, fontSize: `${margin.type}px`,
    })
    fill(this.#leaders, margin.leaders, () => document.createElementNS(SVG, "line"), (line, item) => {
      for (const name of ["x1", "y1", "x2", "y2"]) {
        line.setAttribute(name, item[name].toFixed(1))
      }
      line.setAttribute("stroke", item.colour)
    })
    const zeros = margin.zero.map((item) => ({...item, kind: "zero"}))
    const levels = margin.levels.map((item) => ({...item, kind: "level"}))
    fill(this.#names, [...levels, ...margin.names, ...zeros], () => element("span"), (name, item) => {
      name.className = item.kind ?? "name"
      place(name, item)
    })
    fill(this.#beyond, margin.beyond, () => element("span", "beyond"), (mark, item) => {
      place(mark, item)
      mark.style.translate = `${-100 * item.part}% 0`
      mark.dataset.tip = item.tip
    })
    fill(this.#flags, margin.flags, () => element("button", "flag"), (flag, item) => {
      place(flag, item)
      if (flag.dataset.tip != item.tip) {
        flag.dataset.tip = item.tip
        flag.setAttribute("aria-label", item.tip)
      }
    })
    this.#unit.hidden = false
    place(this.#unit, margin.unit)
    this.#unit.title = `The axis counts ${margin.unit.text}s; press for ${margin.unit.text == "step" ? "epochs" : "steps"}`
    this.#rove_tab_stop()
    if (this.#tipped != null) {
      this.#show_tip()
    }
  }

  #rove_tab_stop() {
    const flags = [...this.#flags.children]
    const stop = flags.find((flag) => flag.tabIndex == 0) ?? flags[0]
    for (const flag of flags) {
      flag.tabIndex = flag == stop ? 0 : -1
    }
    this.#flags.hidden = flags.length == 0
  }

  #point = ({target}) => {
    this.#tipped = target.dataset.tip == null ? undefined : target
    this.#show_tip()
  }

  #leave = () => {
    this.#tipped = undefined
    this.#tip.hidden = true
  }

  #press = (event) => {
    const {key, target} = event
    const moved = {ArrowLeft: -1, ArrowRight: 1}[key]
    if (key == "Escape") {
      this.#leave()
    } else if (moved != null && target.classList.contains("flag")) {
      const flags = [...this.#flags.children]
      const next = flags[flags.indexOf(target) + moved]
      if (next != null) {
        target.tabIndex = -1
        next.tabIndex = 0
        next.focus()
      }
    } else {
      return
    }
    event.preventDefault()
    event.stopPropagation() // or the page's own keys would hear it
  }

  #show_tip() {
    const target = this.#tipped
    this.#tip.hidden = !target?.isConnected
    if (this.#tip.hidden) {
      return
    }
    const lines = target.dataset.tip.split("\n")
    const more = lines.length > SHOWN ? [`and ${lines.length - SHOWN} more`] : []
    set_text(this.#tip, [...lines.slice(0, SHOWN), ...more].join("\n"))
    const x = target.classList.contains("flag") ? Number.parseFloat(target.style.left) : target.offsetLeft
    const most = this.#root.offsetWidth - this.#tip.offsetWidth
    this.#tip.style.left = `${Math.max(0, Math.min(x, most))}px`
    this.#tip.style.top = `${target.offsetTop + target.offsetHeight + 3}px`
  }
}

function element(tag, kind = "") {
  const made = document.createElement(tag)
  made.className = kind
  return made
}

function place(shown, {x, y, width, colour, text}) {
  const {style} = shown
  style.left = `${x.toFixed(1)}px`
  style.top = `${y.toFixed(1)}px`
  style.maxWidth = width == null ? "" : `${width.toFixed(1)}px`
  style.color = colour ?? ""
  set_text(shown, text)
}

function set_text(shown, text) {
  if (shown.textContent != text) {
    shown.textContent = text
  }
}

// One child an item, those that are there already first.
function fill(parent, items, make, set) {
  while (parent.children.length > items.length) {
    parent.lastChild.remove()
  }
  while (parent.children.length < items.length) {
    parent.append(make())
  }
  items.forEach((item, n) => set(parent.children[n], item))
}
