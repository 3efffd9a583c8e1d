// Where the class is: it follows, works freely or waits; and where everybody is brought to.

import {button, h} from "./elements.js"

const MODES = {follow: "Everybody follows me", free: "Everybody works freely", pause: "Pause everybody"}

export class Steering {
  element
  #dock
  #modes
  #lesson = h("select", {"aria-label": "Lesson"})
  #limit = h("select", {"aria-label": "As far as this lesson"})

  constructor(dock) {
    this.#dock = dock
    this.#modes = Object.entries(MODES).map(([mode, label]) => button(label, () => dock.send("mode", {mode}), {"data-mode": mode}))
    this.#limit.addEventListener("change", () => dock.send("limit", {lesson: this.#limit.value || null}))
    this.element = h("div", {class: "steering"},
      h("h2", {}, "Steer the class"),
      h("div", {class: "row", role: "group", "aria-label": "What the class does"}, ...this.#modes),
      h("div", {class: "row"}, h("label", {}, "Bring everybody to ", this.#lesson),
        button("Go", () => dock.send("lesson", {lesson: this.#lesson.value}), {"aria-label": "Bring everybody to this lesson"}),
        button("To the state of my run", () => dock.send("state"), {title: "Everybody gets this run as their own, at this step"})),
      h("label", {}, "Students may go as far as ", this.#limit))
  }

  follow({mode, limit = null}) {
    const {lessons} = this.#dock
    if (this.#lesson.options.length != lessons.length) {
      this.#lesson.replaceChildren(...lessons.map(named))
      this.#limit.replaceChildren(h("option", {value: ""}, "any lesson"), ...lessons.map(named))
    }
    for (const choice of this.#modes) {
      choice.setAttribute("aria-pressed", String(choice.dataset.mode == mode))
    }
    if (!this.#limit.matches(":focus")) {
      this.#limit.value = limit ?? ""
    }
  }
}

function named({slug, title}, n) {
  return h("option", {value: slug}, `${n + 1}. ${title}`)
}
