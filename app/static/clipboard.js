// Fills the clipboard, where the browser lets a page do that.

import {send} from "./events.js"
import {focused} from "./find.js"

export async function copy(text) {
  send("answer", "copy", await write(text) ? "copied" : "refused")
}

// Browsers offer the clipboard only on encrypted addresses and on localhost.
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
  // Within the dialog, which lets the focus go nowhere else.
  const inside = focused()
  const parent = inside?.parentNode ?? document.body
  parent.appendChild(area)
  area.select()
  const copied = document.execCommand("copy")
  area.remove()
  return copied
}
