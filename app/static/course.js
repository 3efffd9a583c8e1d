// What the browser keeps of the course: which lessons are done, what was answered, and which lesson the address names.

import {tell} from "./events.js"
import {open_tab} from "./tabs.js"
import {find} from "./words.js"

const KEY = "babysit lessons" // in the browser's storage: slugs of lessons that are done
const ANSWERS = "babysit answers" // ... by lesson and variation, what was answered
const PARAMETER = "lesson"
const PLAYLIST = "playlist"
const LOOK = 100 // milliseconds from one look for the sidebar's tabs to the next

// A page that is opened at a lesson goes there; so does the browser's way back and forward.
export function follow_address() {
  if (lesson_of_address() != null || playlist_of_address() != null) {
    open_lessons()
  }
  window.addEventListener("popstate", () => lesson_of_address() == null || tell_lesson())
  document.addEventListener("click", (event) => {
    const button = event.composedPath().find(({dataset}) => dataset?.press == "lesson")
    if (button != null) {
      show_address(button.dataset.value)
    }
  })
}

// The tabs come with the sidebar, a moment after the page.
function open_lessons() {
  if (find(document.body, '[data-tells] [data-tab="Lessons"]') == null) {
    setTimeout(open_lessons, LOOK)
  } else {
    open_tab("Lessons")
  }
}

// The panel of lessons is there, and asks.
export function recall_lessons() {
  tell("press", "lessons done", [...done()].join(" "))
  Object.values(answers()).forEach((answer) => tell("press", "answers kept", answer))
  if (playlist_of_address() != null) {
    tell("press", "playlist", playlist_of_address())
  }
  if (lesson_of_address() != null) {
    tell_lesson()
  }
}

export function tick_lesson(slug) {
  try {
    localStorage.setItem(KEY, JSON.stringify([...done().add(slug)]))
  } catch {} // a browser that keeps nothing
}

export function keep_answer(name, answer) {
  try {
    localStorage.setItem(ANSWERS, JSON.stringify({...answers(), [name]: answer}))
  } catch {}
}

export function show_address(slug) {
  const address = new URL(window.location)
  if (address.searchParams.get(PARAMETER) != slug) {
    address.searchParams.set(PARAMETER, slug)
    history.pushState(null, "", address)
  }
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

function lesson_of_address() {
  return new URL(window.location).searchParams.get(PARAMETER)
}

function playlist_of_address() {
  return new URL(window.location).searchParams.get(PLAYLIST)
}

function tell_lesson() {
  tell("press", "lesson", lesson_of_address())
}
