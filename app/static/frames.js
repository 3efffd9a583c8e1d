// The page's end of the frame channel: asks for a frame, applies it, asks again once it is drawn.
//
// A frame names views, sources and text; what they mean is decided on the server.

import {bring_to_sight} from "./answers.js"
import {copy} from "./clipboard.js"
import {store_answer, store_draft, name_place, recall_draft, recall_lessons, show_address, show_playlist, tick_lesson} from "./course.js"
import {count, number, tick} from "./numbers.js"
import {save} from "./save_plot.js"
import {explainable, explained} from "./question_mark.js"
import {follow, learn_epochs, placed, show_steps, show_usual} from "./steps_shown.js"
import {open_tab, turn_to_tab} from "./tabs.js"
import {time_ticks, time_words} from "./time_axis.js"
import {Timeline} from "./timeline.js"
import {LiveText} from "./live_text.js"
import {built, drawn, draw, in_sight, model, point_at, press, turn_from} from "./views.js"

const GONE = [4403, 4500] // the server does not know this page, or can train nothing any more
const RETRY = 1000 // milliseconds
const RETRY_GONE = 5000 // ... it may come to know the page again
const POLL = 200 // ... between two checks of which plots are in sight

export function start(token, base, reconnect, display_mode, first) {
  const scheme = window.location.protocol == "https:" ? "wss:" : "ws:"
  const channel = new Channel(`${scheme}//${window.location.host}${base}/frames`, token, reconnect, display_mode, first)
  // What the server may have the page do, and what code that comes with a plot may use.
  const used = {model, show_steps, show_usual, time_ticks, time_words, count, number, tick}
  const done = {bring_to_sight, point_at, turn_from, open_tab, turn_to_tab, copy, save, explainable, explained}
  const course = {recall_lessons, name_place, show_address, show_playlist, tick_lesson, store_answer, store_draft, recall_draft}
  window.babysit = Object.assign(channel, done, course, used)
}

// The buttons in the headlines of plots: what they do is code of the plot's own.
document.addEventListener("click", (event) => {
  const button = event.composedPath().find((element) => element.dataset?.switch != null)
  if (button != null) {
    press(button)
  }
})

class Channel {
  frames = 0
  run = 0
  row = -1
  step = 0

  #url
  #token
  #socket
  #style = "desk" // of the plots
  #request = 0 // the number of the last request
  #asked = [] // the views that it named
  #in_sight // those that can be seen; while the page is still being built, what will be
  #awaits = false // whether its answer is still to come
  #anew = false // whether the next answer is to tell all again
  #scheduled = false
  #text = new LiveText()
  #timeline = new Timeline()
  #reconnect
  #display_mode // what else a projector changes

  constructor(url, token, reconnect, display_mode, first) {
    this.#url = url
    this.#in_sight = first
    this.#token = token
    this.#reconnect = reconnect
    this.#display_mode = display_mode
    this.#open()
    built.then(() => setInterval(() => this.#check_in_sight(), POLL))
  }

  // The page is complete: what came before may have found no place for some of its text.
  complete() {
    this.#anew = this.frames > 0
    if (this.#anew) {
      this.#ask()
    }
  }

  // There is no run to steer, for this reason; or there is one again.
  rest(why) {
    this.#text.rest(why)
  }

  // The plots are drawn anew, for a desk or a projector.
  set_style(style) {
    this.#display_mode.show(style == "projector")
    this.#style = style
    this.#asked = []
    this.#ask()
  }

  #open() {
    this.row = -1
    this.#socket = new WebSocket(this.#url)
    this.#socket.onopen = () => {
      this.#socket.send(JSON.stringify({token: this.#token, state: carried_state(), teach: teacher_key()}))
      this.#reconnect.revive()
      this.#ask()
    }
    this.#socket.onmessage = async ({data}) => {
      await built
      try {
        this.#apply(JSON.parse(data))
      } catch (error) {
        this.#reconnect.give_up_frames()
        throw error
      }
    }
    this.#socket.onclose = ({code}) => {
      this.#text.set("status", "not connected")
      if (GONE.includes(code)) {
        this.#reconnect.forget()
      } else {
        this.#reconnect.lose()
      }
      setTimeout(() => this.#open(), GONE.includes(code) ? RETRY_GONE : RETRY)
    }
  }

  #apply(frame) {
    for (const [view, drawing] of Object.entries(frame.draw ?? {})) {
      draw(view, drawing)
    }
    if ((frame.request ?? 0) != this.#request) { // it has crossed a newer one, whose answer tells all
      return
    }
    this.#awaits = false
    learn_epochs(frame)
    fill(frame)
    follow(frame)
    for (const [id, text] of Object.entries(frame.text ?? {})) {
      this.#text.set(id, text)
    }
    this.#timeline.follow(frame)
    this.run = frame.run
    this.row = frame.row
    this.step = frame.step
    this.frames += 1
    this.#reconnect.follow(frame.step, frame.back ?? {})
    this.#ask()
  }

  // A hidden tab has no animation frames, so it asks for nothing.
  async #ask() {
    if (this.#scheduled) {
      return
    }
    this.#scheduled = true
    await drawn()
    requestAnimationFrame(() => {
      this.#scheduled = false
      const views = this.frames > 0 ? this.#in_sight : this.#in_sight.slice(0, 1) // the first plot alone moves sooner
      // The first frame does not say whether the run is running.
      const known = this.frames > 1 && !this.#awaits && !this.#anew && this.#knows(views)
      this.#asked = views
      if (this.#socket.readyState == WebSocket.OPEN) {
        this.#awaits = true
        this.#anew = false
        this.#request += 1
        const since = known ? this.row : -1
        const first = this.frames == 0
        this.#socket.send(JSON.stringify({request: this.#request, since, views, style: this.#style, first}))
      }
    })
  }

  // While a run is paused, a request stays unanswered. Plots that have come into sight must not wait for
  // it to go on, so a new request replaces the one before.
  #check_in_sight() {
    this.#in_sight = in_sight()
    if (this.frames > 0 && !this.#knows(this.#in_sight)) {
      this.#ask()
    }
  }

  #knows(views) {
    return views.every((view) => this.#asked.includes(view))
  }
}

// The key of a class's teacher: what stands behind # in an address reaches no server and no log.
function teacher_key() {
  return new URLSearchParams(window.location.hash.slice(1)).get("teach") ?? ""
}

// The state of a shared run, packed.
function carried_state() {
  return window.location.hash.match(/^#state=([\w-]+)$/)?.[1] ?? ""
}

function fill({stream = {}, set = {}, reset = {}}) {
  for (const [name, columns] of Object.entries({...reset, ...set})) {
    const source = model(name)
    if (source != null) {
      const known = source.data
      source.setv({data: {...known, ...placed(read(columns, known), known)}}, {sync: false})
    }
  }
  for (const [name, columns] of Object.entries(stream)) {
    const source = model(name)
    source?.stream(placed(read(columns, source.data), source.data), undefined, {sync: false})
  }
}

// JSON knows no NaN; a null in a column of numbers stands for it. Pictures come as text.
function read(columns, known) {
  const clean = {}
  for (const [name, column] of Object.entries(columns)) {
    clean[name] = Array.from(column, (value) => {
      return value?.pixels == null ? value ?? NaN : picture(value, known[name][0].constructor)
    })
  }
  return clean
}

function picture({pixels, shape}, NDArray) {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0))
  return new NDArray(bytes.buffer, shape)
}
