// What the browser keeps of the course: which lessons are done, what was answered, and which lesson the address names.

import {send} from "./events.js"
import {open_tab, tab_is_open, turn_to_tab} from "./tabs.js"
import {find} from "./find.js"

const KEY = "babysit lessons" // in the browser's storage: slugs of lessons that are done
const ANSWERS = "babysit answers" // ... by lesson and variation, what was answered
const DRAFT = "babysit playlist" // ... a playlist that is being made
const LESSON = "lesson" // parameters of the address: the lesson that is open
const ITEM = "item" // ... the place in a playlist, from 1
const PLAYLIST = "playlist" // ... its name in the operator's folder, or behind # the playlist itself
const POLL = 100 // milliseconds between two checks whether the sidebar's tabs are there

let opened = "" // the playlist that the page shows, as the address says it
let built = false // whether the panel of lessons is there

// A page that is opened at a lesson goes there; so does the browser's way back and forward.
export function follow_address() {
  if (parameter(LESSON) != null || playlist() != "") {
    open_lessons()
  }
  window.addEventListener("popstate", follow_history)
  window.addEventListener("storage", ({key}) => {
    if (built && (key == KEY || key == ANSWERS)) {
      tell_done() // another window of this browser has done a lesson
    }
  })
  document.addEventListener("click", (event) => {
    const button = event.composedPath().find(({dataset}) => dataset?.press == "lesson")
    if (button != null) {
      show_address(LESSON, button.dataset.value)
    }
  })
}

// The tabs come with the sidebar, a moment after the page.
function open_lessons() {
  if (find(document.body, '[data-message] [data-tab="Lessons"]') == null) {
    setTimeout(open_lessons, POLL)
  } else {
    open_at_address()
  }
}

// The first message makes the panel; the second says, before anything of it is built, where it opens.
function open_at_address() {
  open_tab("Lessons", tell_address)
}

// Open a lesson from elsewhere on the page, and leave a playlist for it.
export function go_to_lesson(slug) {
  const address = new URL(window.location)
  if (playlist() != "") {
    address.hash = ""
    address.searchParams.delete(PLAYLIST)
  }
  address.searchParams.delete(ITEM)
  address.searchParams.set(LESSON, slug)
  history.pushState(null, "", address)
  open_at_address()
}

// The panel of lessons is there, and asks.
export function recall_lessons() {
  built = true
  tell_done()
  tell_address()
}

function tell_done() {
  send("press", "lessons done", [...done()].join(" "))
  Object.values(answers()).forEach((answer) => send("press", "answers kept", answer))
}

export function tick_lesson(slug) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...done().add(slug)]))
  } catch {} // a browser that keeps nothing
}

export function store_answer(name, answer) {
  try {
    localStorage.setItem(ANSWERS, JSON.stringify({...answers(), [name]: answer}))
  } catch {}
}

// A playlist that is being made, as the server has packed it; empty: it is saved, or there is none.
export function store_draft(packed) {
  try {
    packed == "" ? localStorage.removeItem(DRAFT) : localStorage.setItem(DRAFT, packed)
  } catch {}
}

export function recall_draft() {
  let packed = null
  try {
    packed = localStorage.getItem(DRAFT)
  } catch {}
  send("press", "draft kept", packed ?? "")
}

// The address names a lesson, or a place in a playlist.
export function show_address(parameter, value) {
  const address = new URL(window.location)
  if (address.searchParams.get(parameter) != value) {
    address.searchParams.delete(LESSON)
    address.searchParams.delete(ITEM)
    address.searchParams.set(parameter, value)
    history.pushState(null, "", address)
  }
}

// The part that is left, where the address names none.
export function name_place(parameter, value) {
  if (!names_part()) {
    show_address(parameter, value)
  }
}

// The address holds a playlist from now on; none: all lessons.
export function show_playlist(packed) {
  const address = new URL(window.location)
  for (const parameter of [PLAYLIST, LESSON, ITEM]) {
    address.searchParams.delete(parameter)
  }
  address.hash = packed == "" ? "" : `${PLAYLIST}=${packed}`
  opened = packed
  history.pushState(null, "", address)
}

function done() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEY)) ?? [])
  } catch {
    return new Set()
  }
}

function answers() {
  try {
    return JSON.parse(localStorage.getItem(ANSWERS)) ?? {}
  } catch {
    return {}
  }
}

function parameter(name) {
  return new URL(window.location).searchParams.get(name)
}

function playlist() {
  const {hash} = window.location
  return hash.startsWith(`#${PLAYLIST}=`) ? hash.slice(PLAYLIST.length + 2) : parameter(PLAYLIST) ?? ""
}

function names_part() {
  return parameter(LESSON) != null || parameter(ITEM) != null || playlist() != ""
}

// The browser's way back and forward leads to lessons, and out of them to the learner's own run.
function follow_history() {
  if (names_part()) {
    turn_to_tab("Lessons")
  } else if (tab_is_open("Lessons")) {
    turn_to_tab("Knobs")
  }
  if (built) {
    tell_address()
  }
}

function tell_address() {
  const named = playlist()
  if (named != opened) {
    opened = named
    send("press", named == "" ? "whole course" : parameter(PLAYLIST) == named ? "playlist" : "playlist packed", named)
  }
  if (parameter(ITEM) != null) {
    send("press", "place", `${parameter(ITEM) - 1}`)
  } else if (parameter(LESSON) != null) {
    send("press", "lesson", parameter(LESSON))
  } else if (named != "") {
    send("press", "place", "0")
  }
}
