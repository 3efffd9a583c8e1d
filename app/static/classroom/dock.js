// The strip at the bottom of the page that shows one's place in a class, and the sheet above it.

import {Channel, forget, keep, place, teach_at, teaches} from "./channel.js"
import {button, h, replace, set_text} from "./elements.js"
import {JoinForm} from "./join.js"
import {Student} from "./student.js"
import {Teacher} from "./teacher.js"

const SHORTLY = 6000 // milliseconds for which a refusal is shown

export class Dock {
  #channel
  #strip = h("div", {class: "strip"})
  #sheet = h("section", {class: "sheet", hidden: true})
  #opener = null // what in the strip the sheet was opened with
  #notice = h("p", {class: "notice", role: "alert"})
  #root
  #part = null // the join form, the student's or the teacher's part
  #role = ""
  #code = ""
  #lessons = []
  #silence = null
  #ended = false // whether it says that the room is gone, and how to come back
  #asked = false // whether this page has asked to come back to its room

  constructor(base, token, css) {
    document.head.append(h("style", {}, css))
    this.#root = h("aside", {class: "babysit-class", "aria-label": "Class", "data-explain": "class strip", hidden: true}, this.#sheet, this.#notice, this.#strip)
    this.#channel = new Channel(base, token, (message) => this.#receive(message))
    document.body.append(this.#root)
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--class-strip", `${this.#strip.offsetHeight}px`)
    }).observe(this.#strip)
    document.addEventListener("click", (event) => {
      if (event.composedPath().some(({dataset}) => dataset?.press == "class")) {
        this.#toggle()
      }
    })
    window.addEventListener("hashchange", () => place().password != null && window.location.reload())
    document.addEventListener("keydown", (event) => event.key == "Escape" && this.#escape(event.target))
    if (Object.keys(place()).length > 0) {
      this.#show()
    }
  }

  send(what, given) {
    this.#channel.send(what, given)
  }

  get code() {
    return this.#code
  }

  get lessons() {
    return this.#lessons
  }

  // Whoever opened the sheet by pointer has the focus nowhere; whoever did by a key is given it back.
  #escape(focused) {
    const inside = this.#sheet.contains(focused)
    if (inside || this.#strip.contains(focused) || focused == document.body) {
      this.open(null)
    }
    if (inside) {
      this.#opener?.focus()
    }
  }

  // Open a sheet with these contents, or close it.
  open(contents, label = "") {
    this.#opener = this.#strip.contains(document.activeElement) ? document.activeElement : this.#opener
    this.#sheet.hidden = contents == null
    if (contents != null) {
      this.#sheet.setAttribute("aria-label", label)
      replace(this.#sheet, [contents])
    }
  }

  get opened() {
    return this.#sheet.hidden ? null : this.#sheet.firstChild
  }

  strip(...parts) {
    replace(this.#strip, parts)
  }

  notify(text) {
    set_text(this.#notice, text)
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => set_text(this.#notice, ""), SHORTLY)
  }

  #toggle() {
    if (this.#root.hidden) {
      this.#show()
    } else if (this.#role == "") {
      this.#hide()
    } else {
      this.#part.toggle?.()
    }
  }

  #show() {
    this.#root.hidden = false
    document.documentElement.classList.add("in-class")
    this.#come_in()
    this.#channel.open()
  }

  #hide() {
    this.#root.hidden = true
    document.documentElement.classList.remove("in-class")
    this.open(null)
  }

  // The student's or the teacher's place in a room; without one, "".
  #play(role) {
    this.#role = role
    document.documentElement.classList.toggle("in-room", role != "")
  }

  #come_in() {
    this.#play("")
    this.#ended = false
    this.#part = new JoinForm(this, place(), () => this.#hide()) // or for as long as the server looks the key up
  }

  #receive(message) {
    if (message.connected === false) {
      this.#asked = false
      if (message.forgotten && place().key != null) {
        this.#end("The server of this class has ended. Load this page again: another one may go on with the class. If not,", [
          "open the address with your password, and there the room that you have saved.",
          "wait until your teacher has opened the room again, and load the page then.",
        ])
      } else {
        this.#part?.lose?.()
      }
    } else if (message.connected) {
      this.#introduce()
    } else if (message.teach != null) { // the run of the class belongs to the page that has its key
      teach_at(place().code, message.teach)
      window.location.reload()
    } else if (message.key != null) {
      this.#code = message.code
      keep(message.code, message.key)
    } else if (message.lessons != null) {
      this.#lessons = message.lessons
    } else if (message.room != null) {
      this.#follow(message.room)
    } else if (message.again) {
      this.#end(message.gone, [
        "Open the address with your password, and there the room that you have saved.",
        "When your teacher opens it again, load this page: you are back in your place.",
      ])
    } else if (message.gone != null) {
      this.#leave(message.gone)
    } else if (message.refused != null || message.notice != null) {
      this.notify(message.refused ?? message.notice)
    } else {
      this.#part?.receive?.(message)
    }
  }

  // The room is closed, or the teacher has removed this page.
  #leave(reason) {
    forget()
    this.#play("")
    this.#part = null
    this.open(null)
    this.strip(h("b", {}, "Class"), h("span", {class: "message", role: "status"}, reason),
      button("Join a class", () => this.#come_in()), button("Close", () => this.#hide(), {class: "plain"}))
  }

  // The room is gone, but not for good: the key is kept.
  #end(reason, [teacher, student]) {
    if (this.#ended) {
      return // or the button would lose the focus
    }
    this.#ended = true
    this.#play("")
    this.#part = null
    this.open(null)
    this.strip(h("b", {}, `Class ${place().code ?? ""}`), h("span", {class: "message", role: "status"}, `${reason} ${teaches() ? teacher : student}`),
      button("Load again", () => window.location.reload(), {class: "main"}),
      button("Leave", () => {
        forget()
        this.#come_in()
      }, {class: "plain"}))
  }

  #introduce() {
    const {password, code, key} = place()
    if (key != null && !this.#asked) {
      this.#asked = true
      this.send("enter", {code, key})
    } else if (password != null) {
      this.send("teach", {password})
    }
  }

  #follow(room) {
    this.#ended = false
    if (room.role != this.#role) {
      this.#play(room.role)
      this.open(null)
      this.#part = room.role == "teacher" ? new Teacher(this) : new Student(this)
    }
    this.#part.follow(room)
  }
}
