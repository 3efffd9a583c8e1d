// The scrubber under the plots: which step the page shows. While somebody looks back, training waits.
//
// It asks for a step, and for the next only once that is shown: of all that a drag passes, the latest.

import {Branches} from "./branches.js"
import {send} from "./events.js"
import {count} from "./numbers.js"
import {finder} from "./find.js"

const NOW = "now" // what is asked for at the end
const BEND = 100 // steps: the first ones are evenly spaced, later ones by their logarithm
const LEAP = 20 // leaps of the larger keys over the whole scrubber
const PATIENCE = 5000 // milliseconds after which an answer is not waited for any more
const FOUND = /([\d,]+): /g // the steps in the list of what was found
const find_input = finder(".timeline input")
const find_lockstep = finder("[data-text=lockstep]")
const find_turns = finder(".lockstep .turns")

export class Timeline {
  #end = 0 // the last step of the run
  #run = 0
  #shown = NOW
  #wanted = NOW
  #asked = null // what is waited for
  #since = 0 // when it was asked for
  #held = false // whether the thumb is in somebody's hand
  #drawn = "" // the marks that are there
  #branches = new Branches()

  constructor() {
    for (const [event, listener] of [["input", this.#drag], ["keydown", this.#press], ["pointerdown", this.#hold]]) {
      document.addEventListener(event, (event) => this.#is_mine(event) && listener(event), true)
    }
    document.addEventListener("click", (event) => {
      const {press, value} = event.composedPath()[0].dataset ?? {}
      if (press == "turns") {
        this.#aim(value)
      }
    })
    for (const event of ["pointerup", "pointercancel"]) {
      document.addEventListener(event, this.#release, true)
    }
  }

  // In A | B: the run that changes are made in; each comparison begins with B.
  #aim = (of) => {
    for (const button of find_turns()?.children ?? []) {
      button.ariaPressed = button.dataset.value == of
    }
  }

  // A frame has been applied.
  follow({run, step, tree = null, look = null}) {
    if (tree != null) {
      this.#branches.know(tree)
    }
    if (run != this.#run) {
      this.#asked = null
      this.#wanted = NOW
    }
    if (find_lockstep()?.dataset.value == "") {
      this.#aim("B")
    }
    this.#run = run
    this.#end = step
    this.#shown = look == null ? NOW : look[0]
    const there = look == null || look[1] == 1
    if (this.#asked != null && performance.now() - this.#since > PATIENCE) {
      this.#asked = null // a page that only follows another run may not look back
      this.#wanted = this.#shown
    }
    if (this.#asked == null || (this.#shown == this.#asked && there)) {
      const next = this.#asked != null && this.#wanted != this.#asked
      this.#asked = null
      if (next) {
        this.#ask()
      } else if (!this.#held) {
        this.#wanted = this.#shown // keys and buttons look back as well
      }
    }
    this.#show()
  }

  get #input() {
    return find_input()
  }

  #is_mine(event) {
    return event.composedPath()[0].closest?.(".timeline .track") != null
  }

  #hold = () => {
    this.#held = true
  }

  #release = () => {
    this.#held = false
  }

  #drag = () => {
    const {value} = this.#input
    this.#want(Number(value) >= 1 ? NOW : Math.round(this.#step_at(Number(value))))
  }

  #press = (event) => {
    const {key, shiftKey, ctrlKey, altKey, metaKey} = event
    if (ctrlKey || altKey || metaKey) {
      return
    }
    const at = this.#wanted == NOW ? this.#end : this.#wanted
    const leap = (by) => Math.round(this.#step_at(this.#part_of(at) + by / LEAP))
    const further = (step, by) => (step == at ? at + by : step) // at least one step
    const back = shiftKey ? further(leap(-1), -1) : at - 1
    const on = shiftKey ? further(leap(1), 1) : at + 1
    const steps = {
      ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on,
      PageDown: further(leap(-1), -1), PageUp: further(leap(1), 1), Home: 0, End: this.#end,
    }
    if (key in steps) {
      event.preventDefault()
      event.stopPropagation()
      this.#want(steps[key] >= this.#end ? NOW : Math.max(0, steps[key]))
    }
  }

  #want(step) {
    this.#wanted = step
    this.#show()
    if (this.#asked == null || performance.now() - this.#since > PATIENCE) {
      this.#ask()
    }
  }

  #ask() {
    this.#asked = this.#wanted
    this.#since = performance.now()
    send("look", "", String(this.#wanted))
  }

  // How far along the scrubber a step lies, from 0 to 1, and the other way round.
  #part_of(step) {
    return part_of(step, this.#end)
  }

  #step_at(part) {
    const inside = Math.min(1, Math.max(0, part))
    return BEND * Math.expm1(inside * Math.log1p(this.#end / BEND))
  }

  #show() {
    const input = this.#input
    if (input == null) {
      return
    }
    const step = this.#wanted == NOW ? this.#end : this.#wanted
    if (!this.#held) {
      input.value = this.#part_of(step)
    }
    input.ariaValueText = `step ${count(step)} of ${count(this.#end)}`
    this.#mark(input.parentNode.querySelector(".marks"))
    this.#branches.show(this.#end, part_of)
  }

  #mark(place) {
    const [changed, found] = [".changed", ".noticed"].map((name) => place.parentNode.querySelector(name).textContent)
    const marks = [
      ...changed.split(" ").filter(Boolean).map((step) => ["change", Number(step)]),
      ...this.#branches.left(this.#run).map((step) => ["left", step]),
      ...Array.from(found.matchAll(FOUND), ([, step]) => ["found", Number(step.replaceAll(",", ""))]),
    ].map(([kind, step]) => [kind, this.#part_of(step).toFixed(4)])
    if (marks.join() != this.#drawn || place.childElementCount != marks.length) {
      this.#drawn = marks.join()
      const [scale] = this.#input.title.split("\n")
      this.#input.title = found == "" ? scale : `${scale}\nFound along the run: ${found}`
      place.replaceChildren(...marks.map(([kind, part]) => {
        const mark = document.createElement("i")
        mark.className = kind
        mark.style.left = `${100 * part}%`
        return mark
      }))
    }
  }
}

function part_of(step, end) {
  return end == 0 ? 1 : Math.log1p(step / BEND) / Math.log1p(end / BEND)
}
