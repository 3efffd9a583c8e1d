// What the browser keeps of the course: which lessons are done, what was answered, and which lesson the address names.

import {send} from "./events.js"
import {open_tab, tab_is_open, turn_to_tab, when_turned} from "./tabs.js"
import {find} from "./find.js"

const KEY = "babysit lessons" // in the browser's storage: slugs of lessons that are done
const ANSWERS = "babysit answers" // ... by lesson and variation, what was answered
const DRAFT = "babysit playlist" // ... a playlist that is being made
const LESSON = "lesson" // parameters of the address: the lesson that is open
const ITEM = "item" // ... the place in a playlist, from 1
const PLAYLIST = "playlist" // ... its name in the operator's folder, or behind # the playlist itself
const PARTS = [PLAYLIST, LESSON, ITEM]
const TAB = "Lessons"
const POLL = 100 // milliseconds between two checks whether the sidebar's tabs are there

let opened = "" // the playlist that the page shows, as the address says it
let named = [] // what the address said last of the part that is open: parameters and values
let built = false // whether the panel of lessons is there

// A page that is opened at a lesson goes there; so does the browser's way back and forward.
export function follow_address() {
  if (parameter(LESSON) != null || playlist() != "") {
    open_lessons()
  }
  when_turned(follow_tab)
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
  if (find(document.body, `[data-message] [data-tab="${TAB}"]`) == null) {
    setTimeout(open_lessons, POLL)
  } else {
    open_at_address()
  }
}

// The first message makes the panel; the second says, before anything of it is built, where it opens.
function open_at_address() {
  open_tab(TAB, tell_address)
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
    keep_named()
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
  const address = without_part()
  address.hash = packed == "" ? "" : `${PLAYLIST}=${packed}`
  opened = packed
  history.pushState(null, "", address)
  keep_named()
}

// The address names a part while the lessons are open, and none beside the learner's own run.
function follow_tab(from, to) {
  const parts = from == TAB ? [] : named
  if (from != to && [from, to].includes(TAB) && names_part() == (from == TAB)) {
    const address = without_part()
    for (const [parameter, value] of parts) {
      parameter == "#" ? address.hash = value : address.searchParams.set(parameter, value)
    }
    if (address.href != window.location.href) {
      history.pushState(null, "", address)
    }
  }
}

function keep_named() {
  const {searchParams, hash} = new URL(window.location)
  const parts = PARTS.filter((name) => searchParams.has(name)).map((name) => [name, searchParams.get(name)])
  named = is_playlist(hash) ? [...parts, ["#", hash]] : parts
}

function without_part() {
  const address = new URL(window.location)
  PARTS.forEach((name) => address.searchParams.delete(name))
  address.hash = is_playlist(address.hash) ? "" : address.hash
  return address
}

function is_playlist(hash) {
  return hash.startsWith(`#${PLAYLIST}=`)
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
  return is_playlist(hash) ? hash.slice(PLAYLIST.length + 2) : parameter(PLAYLIST) ?? ""
}

function names_part() {
  return parameter(LESSON) != null || parameter(ITEM) != null || playlist() != ""
}

// The browser's way back and forward leads to lessons, and out of them to the learner's own run.
function follow_history() {
  if (names_part()) {
    turn_to_tab(TAB)
  } else if (tab_is_open(TAB)) {
    turn_to_tab("Knobs")
  }
  if (built) {
    tell_address()
  }
}

// The server goes where the address leads; one that names no part leaves the lessons as they are.
function tell_address() {
  if (!names_part()) {
    return
  }
  keep_named()
  const followed = playlist()
  if (followed != opened) {
    opened = followed
    send("press", followed == "" ? "whole course" : parameter(PLAYLIST) == followed ? "playlist" : "playlist packed", followed)
  }
  if (parameter(ITEM) != null) {
    send("press", "place", `${parameter(ITEM) - 1}`)
  } else if (parameter(LESSON) != null) {
    send("press", "lesson", parameter(LESSON))
  } else if (followed != "") {
    send("press", "place", "0")
  }
}
