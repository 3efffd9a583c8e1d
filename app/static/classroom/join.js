// How somebody comes into a class: by a code and a nickname, or as a teacher who opens a room.

import {place} from "./channel.js"
import {button, h} from "./elements.js"

export class JoinForm {
  #dock
  #code
  #name

  constructor(dock, {code = "", password, key}, close) {
    this.#dock = dock
    if (password != null) {
      dock.strip(h("b", {}, "Class"), h("span", {class: "message"}, "Checking the teacher's password …"))
      return
    }
    if (key != null) {
      dock.strip(h("b", {}, `Class ${code}`), h("span", {class: "message"}, "Coming back …"))
      return
    }
    this.#code = h("input", {name: "code", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: 12, size: 7, value: code, required: true})
    this.#name = h("input", {name: "nickname", autocomplete: "nickname", maxlength: 24, size: 14, required: true})
    const form = h("form", {class: "join", onsubmit: (event) => this.#join(event)},
      h("b", {}, "Join a class"),
      h("label", {}, "Code ", this.#code),
      h("label", {}, "Nickname ", this.#name),
      h("button", {type: "submit", class: "main"}, "Join"))
    dock.strip(form, button("Close", close, {class: "plain"}))
    const empty = code == "" ? this.#code : this.#name
    setTimeout(() => empty.focus())
  }

  // `largest` is in bytes: the server would close the connection at a larger file.
  receive({may_open, largest}) {
    if (may_open) {
      this.#dock.strip(h("b", {}, "Class"), h("span", {class: "message"}, "You can open a room for your class."),
        button("Open a room", () => this.#dock.send("open", {code: place().code ?? ""}), {class: "main"}),
        button("Open a saved room …", () => this.#choose(largest)))
    }
  }

  // A file that a teacher has saved under Results.
  #choose(largest) {
    const field = h("input", {type: "file", accept: ".json", onchange: async () => {
      const [file] = field.files
      const room = file.size > largest ? null : await file.text()
      if (room == null || sent_as(room) > 2 * largest) { // more of it is escaped than of any text
        this.#dock.notify(`${file.name} is no room that was saved here: none has more than ${largest / 1e6} MB.`)
      } else {
        this.#dock.send("reopen", {room})
      }
    }})
    field.click()
  }

  #join(event) {
    event.preventDefault()
    this.#dock.send("join", {code: this.#code.value, name: this.#name.value})
  }
}

// How many bytes this text takes in a message.
function sent_as(text) {
  return new Blob([JSON.stringify(text)]).size
}
