// The wall: the run of every student at a glance, all curves in one plot, and the class as a random search.

import {curves, overlay, trials} from "./charts.js"
import {button, h, replace, set_text} from "./elements.js"
import {count, tick} from "../numbers.js"

const TABS = ["Runs", "All curves", "Random search"]
const HEALTHY = ["healthy", "converged"]

export class Wall {
  #dock
  #look
  #dialog = null
  #tab = TABS[0]
  #anonymous = true
  #tiles = new Map() // by the numbers of students
  #body = h("div", {class: "wall"})
  #summary = h("span", {class: "message", role: "status"})
  #wall = null
  #room = null

  constructor(dock, look) {
    this.#dock = dock
    this.#look = look
  }

  open() {
    const tabs = TABS.map((tab) => button(tab, () => this.#turn(tab), {role: "tab", "data-tab-of-wall": tab, "data-explain": "field Class Wall"}))
    const names = h("input", {type: "checkbox", checked: !this.#anonymous, onchange: (event) => {
      this.#anonymous = !event.target.checked
      this.#draw()
    }})
    this.#dialog = h("dialog", {class: "babysit-class wall-dialog", "aria-label": "Wall", "data-explain": "field Class Wall", onclose: () => {
      this.#dock.send("wall", {on: false})
      this.#dialog.remove()
      this.#dialog = null
    }},
      h("div", {class: "head"}, h("b", {}, `Class ${this.#dock.code}`), h("div", {role: "tablist", "aria-label": "Wall"}, ...tabs), this.#summary,
        h("label", {class: "check"}, names, " names"), button("Close", () => this.#dialog.close(), {class: "main"})),
      h("div", {role: "tabpanel", "aria-label": this.#tab, class: "panel", tabindex: "0"}, this.#body))
    document.body.append(this.#dialog)
    this.#dialog.showModal()
    this.#dock.send("wall", {on: true})
    this.#turn(this.#tab)
  }

  follow(wall, room) {
    this.#wall = wall
    this.#room = room
    this.#draw()
  }

  #turn(tab) {
    this.#tab = tab
    for (const button of this.#dialog.querySelectorAll("[role=tab]")) {
      button.setAttribute("aria-selected", String(button.dataset.tabOfWall == tab))
    }
    this.#dialog.querySelector("[role=tabpanel]").setAttribute("aria-label", tab)
    this.#draw()
  }

  #draw() {
    if (this.#wall == null || this.#dialog == null) {
      return
    }
    const {tiles, trials: tried} = this.#wall
    const own = tiles.filter(({tile}) => tile != null)
    const wrong = own.filter(({tile}) => !HEALTHY.includes(tile.health) || ["diverged", "failed"].includes(tile.state))
    set_text(this.#summary, own.length == 0 ? "Nobody has a run of their own: they follow you." : `${own.length} on runs of their own, ${wrong.length} with a finding`)
    this.#body.className = `wall ${this.#tab == TABS[0] ? "grid" : "single"}`
    if (this.#tab == TABS[0]) {
      replace(this.#body, tiles.map((one) => this.#tile(one)))
    } else if (this.#tab == TABS[1]) {
      const all = own.map(({tile}) => ({curve: tile.curve, class: kind_of(tile)}))
      replace(this.#body, [all.length == 0 ? nothing() : h("figure", {}, overlay(all, 900, 440),
        h("figcaption", {class: "quiet"}, h("i", {class: "sample ill"}), "with a finding ", h("i", {class: "sample well"}), "healthy"))])
    } else {
      replace(this.#body, [tried.length == 0 ? nothing() : h("figure", {}, trials(tried, 900, 460),
        h("figcaption", {class: "quiet"}, `The class is the random search. ${best_of(tried)} The greener a point, the higher.`))])
    }
  }

  // A tile stays the same element, so that it keeps the focus.
  #tile({number, name, tile}) {
    const known = this.#tiles.get(number) ?? button("", () => {
      this.#dialog.close()
      this.#look(number)
    }, {class: "tile", "data-explain": "class tile"})
    this.#tiles.set(number, known)
    const hand = this.#room?.students.find((student) => student.number == number)?.hand != null
    const called = this.#anonymous ? `Student ${number.slice(1)}` : name
    const key = JSON.stringify([called, tile, hand])
    if (known.dataset.key != key) {
      known.dataset.key = key
      known.className = `tile ${tile == null ? "" : kind_of(tile)}`
      known.disabled = tile == null
      known.replaceChildren(
        h("span", {class: "who"}, called, hand && h("em", {}, " asks for help")),
        h("span", {class: "health"}, tile == null ? "follows" : ["diverged", "failed"].includes(tile.state) ? tile.state : tile.health),
        tile == null ? h("span", {class: "quiet"}, "") : curves([{curve: tile.curve, class: kind_of(tile)}], 160, 60, "loss"),
        h("span", {class: "quiet"}, tile == null ? "" : figures(tile)))
    }
    return known
  }
}

function figures({step, accuracy, lesson}) {
  const parts = [`step ${count(step)}`, accuracy != null && `${(100 * accuracy).toFixed(1)}\u00a0%`, lesson != "" && lesson.replaceAll("-", " ")]
  return parts.filter(Boolean).join(" · ")
}

function kind_of({state, health}) {
  return ["diverged", "failed"].includes(state) ? "broken" : HEALTHY.includes(health) ? "well" : "ill"
}

function best_of(tried) {
  const [rate, penalty, accuracy] = tried.reduce((best, one) => (one[2] > best[2] ? one : best))
  const settings = new Set(tried.map(([rate, penalty]) => `${rate} ${penalty}`)).size
  return `${settings == 1 ? "1 setting" : `${settings} settings`} tried; the best stands at ${(100 * accuracy).toFixed(1)}\u00a0% validation accuracy, with learning rate ${tick(rate)} and L2 ${tick(penalty)}.`
}

function nothing() {
  return h("p", {class: "quiet"}, "There is nothing to show yet: let the class work freely.")
}
