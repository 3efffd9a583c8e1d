// Fills the clipboard, where the browser lets a page do that.

import {send} from "./events.js"

export async function copy(text) {
  send("answer", "copy", await write(text) ? "copied" : "refused")
}

// The clipboard is there on addresses that are encrypted or this machine's own alone.
async function write(text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return by_hand(text)
  }
}

function by_hand(text) {
  const area = document.createElement("textarea")
  area.value = text
  area.style.position = "fixed"
  area.style.opacity = "0"
  // Inside the dialog: it does not let the focus out.
  let inside = document.activeElement
  while (inside?.shadowRoot?.activeElement != null) {
    inside = inside.shadowRoot.activeElement
  }
  const parent = inside?.parentNode ?? document.body
  parent.appendChild(area)
  area.select()
  const copied = document.execCommand("copy")
  area.remove()
  return copied
}
