// Keys of the lists that open over the page, such as those of paces and branches: the same as of any menu.

import {find} from "./find.js"

const LIST = ":is([popover=''], [popover=auto])"
const ITEM = "button:not(:disabled), input:not(:disabled)"
const OPENERS = ["Enter", " ", "ArrowDown", "ArrowUp"]
const MOVES = { // from an item, or none (-1), of so many
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at) => Math.max(at, 0) - 1,
  Home: () => 0,
  End: () => -1,
}
const WRITTEN = 600 // milliseconds within which letters belong to one word

export function listen_in_lists() {
  let [word, last] = ["", 0] // what is being written, and when its last letter was

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return
    }
    const list = find(document.body, `${LIST}:popover-open`)
    const focused = event.composedPath()[0]
    if (list == null) {
      last = 0
      open_by(event, focused)
    } else if (event.key == "Escape" || (event.key == "Tab" && list.role == "menu")) {
      close_list(list)
    } else if (list.contains(focused) || focused == document.body || focused.popoverTargetElement == list) {
      word = event.timeStamp - last < WRITTEN ? word : ""
      const items = items_of(list)
      if (is_letter(event.key, word)) {
        [word, last] = [word + event.key.toLowerCase(), event.timeStamp]
        written(items, items.indexOf(focused), word)?.focus()
        event.preventDefault() // it is no key of the page meanwhile
      } else if (MOVES[event.key] != null) {
        last = 0 // what was being written is over
        items.at(MOVES[event.key](items.indexOf(focused), items.length))?.focus()
        event.preventDefault()
      }
    }
  })
}

// Close a list; the focus that was in it is where the list was opened, from where a key goes on.
export function close_list(list) {
  const focused = list.contains(list.getRootNode().activeElement)
  list.hidePopover()
  if (focused) {
    find(document.body, `[popovertarget="${list.id}"]`)?.focus()
  }
}

// What opens a list by a key has it at its chosen item, or at the first or last one.
function open_by(event, opener) {
  const list = opener.popoverTargetElement
  if (list == null || !OPENERS.includes(event.key)) {
    return
  }
  event.preventDefault()
  list.showPopover({source: opener})
  const items = items_of(list)
  const first = event.key.startsWith("Arrow") ? null : items.find(({ariaChecked}) => ariaChecked == "true")
  const item = first ?? items.at(event.key == "ArrowUp" ? -1 : 0)
  item?.focus()
}

function items_of(list) {
  return [...list.querySelectorAll(ITEM)].filter((item) => item.checkVisibility())
}

// The next item that begins with what is written; one letter again and again goes through all such.
function written(items, at, word) {
  const again = [...word].every((letter) => letter == word[0])
  const from = again ? at + 1 : Math.max(at, 0)
  const round = [...items.slice(from), ...items.slice(0, from)]
  const begins = (start) => round.find((item) => words_of(item).startsWith(start))
  return begins(word) ?? (again ? begins(word[0]) : null)
}

// Space presses an item, unless a word is being written.
function is_letter(key, word) {
  return key.length == 1 && (key != " " || word != "")
}

function words_of(item) {
  return (item.querySelector("[data-words]") ?? item).textContent.trim().toLowerCase()
}
