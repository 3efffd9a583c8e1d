// What a teacher asks before the run goes on: a question with options, or a curve to be drawn.

import {button, h} from "./elements.js"

const USUAL = [
  {title: "What will the loss do?", question: "What will the loss do?", options: ["fall faster", "fall more slowly", "stay as it is", "rise or diverge"]},
  {title: "What will the accuracy do?", question: "What will the validation accuracy do?", options: ["rise", "stay as it is", "fall"]},
  {title: "What will the activations do?", question: "What will the activations do?", options: ["stay as they are", "collapse to 0", "saturate at both ends"]},
]

export class AskForm {
  element
  #dock
  #from = h("select", {"aria-label": "Take the words from"})
  #text = h("input", {name: "question", maxlength: 300, required: true})
  #options = h("textarea", {rows: 4, "aria-label": "Options, one on each line"})
  #draw = h("input", {type: "checkbox"})
  #steps = h("input", {type: "number", min: 10, max: 100000, value: 500, size: 6, "aria-label": "Steps"})

  constructor(dock) {
    this.#dock = dock
    this.#from.addEventListener("focus", () => this.#offer())
    this.#from.addEventListener("change", () => this.#take())
    this.#draw.addEventListener("change", () => this.#show_kind())
    this.element = h("form", {class: "asks-form", onsubmit: (event) => this.#ask(event)},
      h("h2", {}, "Ask first"),
      h("p", {class: "quiet"}, "Your run waits until you close the question. Turn the knob or open the lesson before, and ask what will happen."),
      h("label", {}, "Take the words from ", this.#from),
      h("label", {}, "Question ", this.#text),
      h("label", {class: "check"}, this.#draw, " Let them draw the loss of the next ", this.#steps, " steps"),
      this.#options,
      h("div", {class: "row"}, h("button", {type: "submit", class: "main"}, "Ask"), button("Cancel", () => this.#dock.open(null))))
    this.#offer()
    this.#take()
  }

  // The lessons are known a moment later; the one that is open comes first.
  #offer() {
    const open = new URL(window.location).searchParams.get("lesson")
    const lessons = [...this.#dock.lessons].sort((a, b) => (b.slug == open) - (a.slug == open))
    const known = [...USUAL, ...lessons]
    if (this.#from.options.length != known.length) {
      this.#from.replaceChildren(...known.map(({title}, n) => h("option", {value: n}, n < USUAL.length ? title : `Lesson: ${title}`)))
      this.#from.known = known
    }
  }

  #take() {
    const {question, options} = this.#from.known[this.#from.value]
    this.#text.value = question
    this.#options.value = options.join("\n")
  }

  #show_kind() {
    this.#options.hidden = this.#draw.checked
    if (this.#draw.checked) {
      this.#text.value = "How will the loss go on?"
    } else {
      this.#take()
    }
  }

  #ask(event) {
    event.preventDefault()
    const options = this.#options.value.split("\n").map((option) => option.trim()).filter((option) => option != "")
    this.#dock.send("ask", {
      question: this.#text.value, options: this.#draw.checked ? [] : options, steps: Math.round(Number(this.#steps.value)),
    })
  }
}
