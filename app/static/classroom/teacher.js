// A teacher's part of the strip, and what its buttons open above it.

import {AskForm} from "./ask.js"
import {way_in} from "./channel.js"
import {asking_button, button, h, replace, set_text, svg} from "./elements.js"
import {QuestionCard} from "./question.js"
import {Steering} from "./steering.js"
import {Wall} from "./wall.js"

const MODES = {follow: "They follow you.", free: "They work on their own.", pause: "They are paused."}
const SETTINGS = { // what is suggested most
  "optimization.learning_rate": "Learning rate", "optimization.l2": "L2 strength", "optimization.batch_size": "Batch size",
  "model.dropout": "Dropout", "model.activation": "Activation", "model.initializer": "Initializer",
  "data.preprocessing": "Preprocessing", "model.hidden": "Hidden layers", "optimization.optimizer": "Optimizer",
}
const PLOTS = {loss: "Loss", accuracy: "Accuracy", updates: "Update / weight", activations: "Activations"}
const LOCAL = ["localhost", "127.0.0.1", "[::1]"]

export class Teacher {
  #dock
  #room = null
  #count = h("b", {})
  #status = h("span", {class: "message", role: "status"})
  #looking = h("span", {class: "actions"})
  #roll = h("div", {class: "roll"})
  #question = h("div", {})
  #card = null
  #ask
  #steering
  #wall
  #projected = null // the dialog with the code
  #sheets

  constructor(dock) {
    this.#dock = dock
    this.#ask = new AskForm(dock)
    this.#steering = new Steering(dock)
    this.#wall = new Wall(dock, (who) => this.#look(who))
    this.#sheets = {
      Students: this.#roll, "Ask first": this.#question, Steer: this.#steering.element, Results: this.#results(),
    }
    const opening = Object.entries(this.#sheets).map(([name, contents]) => button(name, () => this.#open(name, contents)))
    dock.strip(this.#count, this.#status, this.#looking, h("span", {class: "actions"},
      button("Code", () => this.#project()), ...opening, button("Wall", () => this.#wall.open(), {class: "main"})))
  }

  lose() {
    set_text(this.#status, "The connection is lost; this page tries again by itself. If it is your line alone, the class goes on.")
  }

  toggle() {
    this.#open("Students", this.#roll)
  }

  receive({qr, wall, file, text, base64}) {
    if (qr != null) {
      this.#projected?.querySelector(".qr").replaceChildren(picture(qr))
    } else if (wall != null) {
      this.#wall.follow(wall, this.#room)
    } else if (file != null) {
      save(file, text ?? Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)))
    }
  }

  follow(room) {
    if (this.#room == null && room.students.length == 0) { // the room has just been opened
      this.#project()
    }
    this.#room = room
    const inside = room.students.filter(({admitted}) => admitted)
    const here = inside.filter((student) => student.here).length
    const wait = room.students.length - inside.length
    const hands = room.students.filter(({hand}) => hand != null).length
    set_text(this.#count, `Class ${room.code}`)
    const parts = [`${here} here`, wait > 0 && (wait == 1 ? "1 waits" : `${wait} wait`),
      hands > 0 && (hands == 1 ? "1 asks for help" : `${hands} ask for help`),
      ["predict", "seen"].includes(room.question?.phase) && "a question is open"].filter(Boolean)
    set_text(this.#status, `${parts.join(", ")}. ${MODES[room.mode]}`)
    this.#status.classList.toggle("calls", wait + hands > 0)
    if (this.#projected != null) {
      set_text(this.#projected.querySelector(".here"), here == 1 ? "1 student is here" : `${here} students are here`)
    }
    this.#list(room)
    this.#show_looking(room)
    this.#steering.follow(room)
    this.#show_question(room.question)
  }

  #open(name, contents) {
    this.#dock.open(this.#dock.opened == contents ? null : contents, name)
  }

  // ---- who is here ----------------------------------------------------------------------------

  #list({students, everybody_welcome, looked_at}) {
    const key = JSON.stringify([students, everybody_welcome, looked_at])
    if (this.#roll.dataset.key == key) {
      return
    }
    this.#roll.dataset.key = key
    const send_of = (what, given) => () => this.#dock.send(what, given)
    const waiting = students.filter(({admitted}) => !admitted)
    const welcome = h("input", {type: "checkbox", checked: everybody_welcome,
      onchange: (event) => this.#dock.send("welcome", {everybody: event.target.checked})})
    const rows = [...students].sort((a, b) => (a.hand ?? Infinity) - (b.hand ?? Infinity)).map((student) => h("tr", {},
      h("th", {scope: "row"}, student.hand != null && h("em", {}, "asks for help: "), student.name),
      h("td", {class: "quiet"}, state_of(student)),
      h("td", {},
        student.admitted ? button("Look", () => this.#look(student.number), {"aria-label": `Look at ${student.name}'s run`}) : button("Let in", send_of("admit", {who: student.number}), {class: "main"}),
        button("Remove", send_of("remove", {who: student.number}), {class: "plain", "aria-label": `Remove ${student.name}`}))))
    replace(this.#roll, [
      h("h2", {}, "Students"),
      h("label", {class: "check"}, welcome, " Let in at once whoever has the code"),
      waiting.length > 1 && button(`Let all ${waiting.length} in`, send_of("admit", {}), {class: "main"}),
      rows.length == 0 ? h("p", {class: "quiet"}, "Nobody has joined yet: show the code.") : h("table", {}, h("tbody", {}, ...rows)),
    ])
  }

  #look(who) {
    this.#dock.open(null)
    this.#dock.send("look", {who})
  }

  // ---- somebody's run --------------------------------------------------------------------------

  #show_looking(room) {
    const {students, looked_at, shown, shown_named} = room
    const key = JSON.stringify([looked_at, shown, shown_named])
    if (this.#looking.dataset.key == key) {
      return
    }
    this.#looking.dataset.key = key
    const student = students.find(({number}) => number == looked_at)
    const dock = this.#dock
    const name = student?.name
    const point = h("select", {"aria-label": `Point ${name} at a plot`, onchange: (event) => dock.send("point", {who: looked_at, view: event.target.value})},
      h("option", {value: ""}, "Point at …"), ...Object.entries(PLOTS).map(([value, label]) => h("option", {value}, label)))
    replace(this.#looking, [
      ...student == null ? [] : [
        h("b", {}, `You look at ${name}'s run`),
        button("Suggest …", () => this.#dock.open(this.#suggestion(looked_at, name), "Suggestion")),
        point,
        shown != looked_at && button("Show to all", () => dock.send("show", {who: looked_at}), {title: "Without the name"}),
        button("Back to my run", () => dock.send("look", {}), {class: "main"}),
      ],
      ...shown == null ? [] : [
        h("span", {class: "message"}, `All see a student's run${shown_named ? " with the name" : ""}.`),
        button(shown_named ? "Hide the name" : "Show the name", () => dock.send("show", {who: shown, named: !shown_named})),
        button("End showing", () => dock.send("show", {})),
      ],
    ])
  }

  #suggestion(who, name) {
    const text = h("input", {name: "text", maxlength: 300, "aria-label": "Text"})
    const path = h("select", {"aria-label": "Setting"}, h("option", {value: ""}, "no setting"),
      ...Object.entries(SETTINGS).map(([value, label]) => h("option", {value}, label)))
    const value = h("input", {name: "value", size: 10, "aria-label": "Value"})
    const send = (event) => {
      event.preventDefault()
      const figure = Number(value.value)
      const is_text = value.value.trim() == "" || Number.isNaN(figure) || path.value == "model.hidden"
      this.#dock.send("suggest", {who, text: text.value, path: path.value, value: is_text ? value.value : figure})
      this.#dock.open(null)
    }
    return h("form", {class: "suggests", onsubmit: send},
      h("h2", {}, `Suggest to ${name}`),
      h("label", {}, "Text ", text),
      h("div", {class: "row"}, h("label", {}, "Set ", path), h("label", {}, "to ", value), h("button", {type: "submit", class: "main"}, "Send")))
  }

  // ---- a question ------------------------------------------------------------------------------

  #show_question(question) {
    if (question == null) {
      this.#card = null
      replace(this.#question, [this.#ask.element])
      return
    }
    const fits = this.#card?.fits(question)
    this.#card = fits ? this.#card : new QuestionCard(question, null)
    this.#card.follow(question)
    if (this.#question.dataset.phase != question.phase || !fits) {
      this.#question.dataset.phase = question.phase
      replace(this.#question, [this.#card.element, h("div", {class: "row"}, ...this.#next(question))])
    }
  }

  #next({phase, axes}) {
    const command = (label, what, main) => button(label, () => this.#dock.send(what), {class: main ? "main" : ""})
    return {
      predict: [command("Close and run", "close question", true), command("Drop it", "drop question")],
      watch: [axes == null && command("What did you see?", "ask seen", true), command("Done", "drop question")],
      seen: [command("Close", "close question", true), command("Drop it", "drop question")],
      compare: [command("Done", "drop question", true)],
    }[phase]
  }

  // ---- the code, for all to see ----------------------------------------------------------------

  #project() {
    const {code} = this.#dock
    const address = way_in(code)
    const {protocol, host, pathname, hostname} = window.location
    const dialog = h("dialog", {class: "babysit-class code", "aria-label": "How to join", onclose: () => {
      dialog.remove()
      this.#projected = null
    }},
      h("p", {}, "Open ", h("b", {}, `${protocol == "https:" ? "https://" : ""}${host}${pathname}?room=${code}`), ", or press ", h("b", {}, "Class"), " there and write"),
      h("p", {class: "letters"}, code),
      h("div", {class: "qr"}),
      h("p", {class: "here", role: "status"}, ""),
      LOCAL.includes(hostname) && h("p", {class: "notice", role: "alert"},
        "Nobody else can reach this address: open this page by the name or number of this machine."),
      button("Close", () => dialog.close(), {class: "main"}))
    this.#projected = dialog
    document.body.append(dialog)
    dialog.showModal()
    this.#dock.send("code", {address})
    if (this.#room != null) {
      this.follow(this.#room)
    }
  }

  #results() {
    const dock = this.#dock
    return h("div", {}, h("h2", {}, "Results"),
      h("p", {}, "Progress by lesson and student, predictions and best runs. Nothing of it is kept on the server once the room is closed."),
      h("div", {class: "row"},
        button("Table (CSV)", () => dock.send("results", {kind: "csv"})),
        button("All of it (JSON)", () => dock.send("results", {kind: "json"})),
        button("Hand-ins (ZIP)", () => dock.send("results", {kind: "hand-ins"}), {title: "Lessons answered and runs pinned, for python -m engine grade"}),
        button("Save the room", () => dock.send("results", {kind: "room"}), {title: "A file by which the same room opens again, with the same code, names and answers. It holds the students' keys: keep it to yourself."}),
        asking_button(() => dock.send("close room"), "Close the room", "Close the room for all and delete all that is in it?")))
  }
}

function state_of({here, admitted, wheel, suggested, lessons = 0}) {
  const states = [!admitted && "waits to be let in", !here && "not connected", wheel && "took the wheel", suggested && "has a suggestion",
    lessons > 0 && (lessons == 1 ? "1 lesson done" : `${lessons} lessons done`)]
  return states.filter(Boolean).join(", ")
}

function picture(rows) {
  const dark = rows.flatMap((row, y) => [...row].map((bit, x) => (bit == "1" ? `M${x} ${y}h1v1h-1z` : "")))
  const viewBox = `-4 -4 ${rows.length + 8} ${rows.length + 8}`
  return svg("svg", {viewBox, role: "img", "aria-label": "QR code of the address"}, svg("path", {d: dark.join("")}))
}

function save(file, content) {
  const link = h("a", {href: URL.createObjectURL(new Blob([content])), download: file})
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
