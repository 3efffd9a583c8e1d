// A student's part of the strip and the sheet.

import {asking_button, button, h, replace, set_text} from "./elements.js"
import {QuestionCard} from "./question.js"

export class Student {
  #dock
  #room = null
  #card = null // of the question
  #asked = "" // which question the sheet was opened for
  #name = h("b", {})
  #status = h("span", {class: "message", role: "status"})
  #actions = h("span", {class: "actions"})
  #leave

  constructor(dock) {
    this.#dock = dock
    this.#leave = asking_button(() => dock.send("leave"), "Leave", "Leave this class? Your place in it is lost.")
    dock.strip(this.#name, this.#status, this.#actions)
  }

  lose() {
    set_text(this.#status, "The connection is lost; this page tries again by itself.")
  }

  toggle() {
    this.#dock.open(this.#dock.opened == null ? this.#card?.element ?? null : null, "Question")
  }

  follow(room) {
    this.#room = room
    set_text(this.#name, `Class ${room.code} · ${room.name}`)
    set_text(this.#status, this.#state())
    this.#act()
    this.#show_sheet()
  }

  #state() {
    const {admitted, follows, mode, shown = "", on_show, teacher_here, lost} = this.#room
    if (lost) {
      return "The teacher's server is out of reach: plots stand still. Your answers are kept, and counted once it is back."
    }
    const away = teacher_here ? "" : " The teacher's page is not connected; everything goes on."
    if (!admitted) {
      return "Wait until your teacher lets you in."
    }
    if (on_show) {
      return "Your run is shown to the class." + away
    }
    if (mode == "pause") {
      return "Your teacher has paused the class: eyes to the front." + away
    }
    if (follows) {
      return (shown == "" ? "You follow your teacher's run." : `You see the run of ${shown}.`) + away
    }
    return (mode == "free" ? "Work on your own." : "This is your own run.") + away
  }

  #act() {
    const {admitted, follows, mode, hand, question} = this.#room
    const dock = this.#dock
    const key = JSON.stringify([admitted, follows, mode, hand, question != null, question?.phase])
    if (this.#actions.dataset.key == key) {
      return // or a button would lose the focus
    }
    this.#actions.dataset.key = key
    const can_answer = ["predict", "seen"].includes(question?.phase)
    replace(this.#actions, !admitted ? [this.#leave] : [
      question && button(can_answer ? "Answer" : "Question", () => this.toggle(), {class: can_answer ? "main" : ""}),
      mode == "follow" && follows && question?.phase != "predict" && button("Take the wheel", () => dock.send("take wheel"), {title: "Go on with a run of your own from this step"}),
      mode == "follow" && !follows && button("Back to the class", () => dock.send("follow"), {class: "main"}),
      button(hand ? "Lower your hand" : "Ask for help", () => dock.send("hand", {up: !hand}), {"aria-pressed": String(Boolean(hand))}),
      this.#leave,
    ])
  }

  #show_sheet() {
    const {question, suggestion} = this.#room
    if (suggestion != null) {
      this.#show_suggestion(suggestion)
      return
    }
    if (question == null) {
      this.#card = null
      this.#asked = ""
      this.#dock.open(null)
      return
    }
    this.#card = this.#card?.fits(question) ? this.#card : new QuestionCard(question, (what, given) => this.#dock.send(what, given))
    this.#card.follow(question)
    const asked = `${question.text} ${question.phase}`
    if (asked != this.#asked) { // opened once for each phase; whoever closes it has it closed
      this.#asked = asked
      this.#dock.open(this.#card.element, "Question")
    } else if (this.#dock.opened != null) {
      this.#dock.open(this.#card.element, "Question")
    }
  }

  #show_suggestion({text = "", setting = "", value = ""}) {
    const key = `${text}|${setting}|${value}`
    if (this.#dock.opened?.dataset.key == key) {
      return
    }
    const settle = (accept) => {
      this.#dock.open(null)
      this.#dock.send("settle", {accept})
    }
    this.#dock.open(h("div", {"data-key": key},
      h("h2", {}, "Your teacher suggests"),
      text && h("p", {}, text),
      setting && h("p", {}, h("b", {}, `${setting}: ${value}`)),
      h("div", {class: "row"},
        button(setting ? "Accept" : "Understood", () => settle(true), {class: "main"}),
        setting && button("No, thank you", () => settle(false)))), "Suggestion")
  }
}
