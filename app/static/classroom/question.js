// A question to the class as everybody sees it: to be answered, then counted.

import {tallies} from "./charts.js"
import {compared, Drawing} from "./drawing.js"
import {button, h, replace, set_text} from "./elements.js"

const ASKS = {
  predict: "What will happen? Predict before it runs.",
  watch: "Watch the run.",
  seen: "What did you see?",
  compare: "Predicted and seen.",
}

export class QuestionCard {
  element
  #asked
  #answer // sends an answer; null for a teacher, who sees only
  #body = h("div", {})
  #count = h("p", {class: "quiet", role: "status"})
  #shown = ""

  constructor(question, answer) {
    this.#asked = identity(question)
    this.#answer = answer
    this.element = h("div", {class: "question"},
      h("h2", {}, question.text), h("p", {class: "quiet asks"}), this.#body, this.#count)
  }

  fits(question) {
    return identity(question) == this.#asked
  }

  follow(question) {
    const {phase, answered, of, mine} = question
    const open = ["predict", "seen"].includes(phase)
    set_text(this.element.querySelector(".asks"), ASKS[phase])
    const rest = this.#answer == null ? "" : mine == null ? "" : " Your answer is in; you can change it until the question is closed."
    set_text(this.#count, open ? `${answered} of ${of} have answered.${rest}` : "")
    const key = JSON.stringify(open ? [phase, question.options.length == 0 ? null : mine] : question)
    if (key != this.#shown) {
      this.#shown = key
      replace(this.#body, [open ? this.#to_answer(question) : this.#counted(question)])
    }
  }

  #to_answer(question) {
    const {options, axes, mine} = question
    if (axes != null) {
      return this.#answer == null
        ? h("p", {}, `The class draws the loss of the next ${axes.steps.toLocaleString("en")} steps.`)
        : new Drawing(axes, mine, (points) => this.#answer("draw", {points})).element
    }
    if (this.#answer == null) {
      return h("ol", {}, ...options.map((option) => h("li", {}, option)))
    }
    return h("div", {class: "options", role: "group", "aria-label": "Options"}, ...options.map((option, n) =>
      button(option, () => this.#answer("choose", {option: n}), {"aria-pressed": String(mine === n)})))
  }

  #counted(question) {
    return question.axes == null ? tallies(question) : compared(question)
  }
}

function identity({text, options, axes}) {
  return JSON.stringify([text, options, axes])
}
