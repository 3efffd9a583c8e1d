// Tabs: one of a list at a time, chosen by mouse or arrow keys. What a tab shows is beside the list, or the
// server is sent the name of the one that was opened.

import {send} from "./events.js"
import {page_model, uncover} from "./screen.js"
import {find} from "./find.js"

const POLL = 100 // milliseconds between two checks whether a tab is there
const TRIES = 50
const SIDEBAR = "tab" // the kind of message that says which tab of the sidebar is open
let sent = "" // the tab that the server was sent last
let turned = () => {} // hears of each turn of the sidebar: from which tab, and to which
const before = new WeakMap() // the tab that was open before, by lists
const STEPS = {ArrowRight: 1, ArrowLeft: -1}

export function listen_to_tabs() {
  document.addEventListener("click", (event) => {
    const tab = tab_of(event)
    if (tab != null) {
      open(tab)
    }
  })
  document.addEventListener("keydown", (event) => {
    const tab = tab_of(event)
    if (tab != null && event.key in STEPS) {
      const tabs = all_beside(tab)
      const next = tabs.at((tabs.indexOf(tab) + STEPS[event.key]) % tabs.length)
      open(next)
      next.focus()
    }
  })
}

// Open the tab that an element is in, if it is in one.
export function bring_to_light(element) {
  const panel = element.closest("[role=tabpanel]")
  if (panel != null) {
    const tabs = [...panel.parentNode.querySelectorAll("[data-tab]")]
    open(tabs.find((tab) => tab.dataset.tab == panel.ariaLabel))
  }
}

// Open the tab that was open before the one that an element is in, if that is open.
export function turn_back(element) {
  const panel = element.closest("[role=tabpanel]")
  if (panel?.hidden === false) {
    const list = panel.parentNode.querySelector("[role=tablist]")
    open(before.get(list) ?? list.firstElementChild)
  }
}

// Open a tab whose name the server has to be sent, and the sidebar with it, which has its tabs a moment later.
export function open_tab(name, then = () => {}, tries = TRIES) {
  const tab = tab_named(name)
  if (tab == null || tab.getClientRects().length == 0) {
    page_model().data.sidebar_open = true
  }
  if (tab != null) {
    open(tab)
    then()
  } else if (tries > 0) { // a page may have no sidebar
    setTimeout(() => open_tab(name, then, tries - 1), POLL)
  }
}

export function when_turned(listener) {
  turned = listener
}

export function tab_is_open(name) {
  return sent == name
}

// Open a tab, and see what is beside it, which the sidebar covers on a narrow screen.
export function turn_to_tab(name) {
  open_tab(name, uncover)
}

function tab_named(name) {
  return find(document.body, `[data-message] [data-tab="${CSS.escape(name)}"]`)
}

function tab_of(event) {
  return event.composedPath().find((element) => element.dataset?.tab != null)
}

function all_beside(tab) {
  return [...tab.parentNode.querySelectorAll("[data-tab]")]
}

function open(chosen) {
  const {message: kind, written} = chosen.parentNode.dataset
  if (kind != null) {
    send(kind, chosen.dataset.tab, written)
  }
  if (kind == SIDEBAR) {
    remember(chosen.dataset.tab)
  }
  show(chosen)
}

function show(chosen) {
  const tabs = all_beside(chosen)
  const shown = tabs.find((tab) => tab.ariaSelected == "true")
  if (shown != chosen) {
    before.set(chosen.parentNode, shown)
  }
  for (const tab of tabs) {
    tab.ariaSelected = String(tab == chosen)
    tab.tabIndex = tab == chosen ? 0 : -1
  }
  for (const panel of chosen.parentNode.parentNode.querySelectorAll("[role=tabpanel]")) {
    panel.hidden = panel.ariaLabel != chosen.dataset.tab
  }
  scroll_to(chosen)
}

// On a page too narrow for all tabs, scrolls their list, and nothing else, to this one.
function scroll_to(tab) {
  const [list, own] = [tab.parentNode.getBoundingClientRect(), tab.getBoundingClientRect()]
  tab.parentNode.scrollLeft += Math.min(0, own.left - list.left) + Math.max(0, own.right - list.right)
}

// On a narrow screen the sidebar is built again each time it opens, with its first tab open: the last one is recalled.
function remember(name) {
  if (sent == "") {
    page_model().data.properties.sidebar_open.change.connect(() => setTimeout(recall, POLL))
  }
  const from = sent
  sent = name
  turned(from, name)
}

function recall(tries = TRIES) {
  const tab = tab_named(sent)
  if (tab != null) {
    show(tab)
  } else if (tries > 0 && page_model().data.sidebar_open) {
    setTimeout(() => recall(tries - 1), POLL)
  }
}
