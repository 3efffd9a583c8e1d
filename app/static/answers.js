// Digits press the buttons with which a lesson is answered: each has a number. The question is scrolled into view.

import {find_all} from "./find.js"

const ASKED = ["saw", "predict", "vary"] // what is asked, most urgent first
const PATIENCE = 5000 // milliseconds for it to be drawn
const LOOK = 50 // milliseconds from one look for it to the next, as each goes through the whole page
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]

export const ANSWERS = Object.fromEntries(DIGITS.map((digit) => [digit, () => answer(digit)]))

function answer(digit) {
  for (const asked of ASKED) {
    const options = find_all(document.body, `[data-press="${asked}"]`).filter((option) => option.checkVisibility())
    if (options.length > 0) {
      options.find((option) => option.dataset.digit == digit)?.click()
      return
    }
  }
}

// Scrolls the sidebar to its end, so that all options and then the verdict are in view of somebody who answers by key.
export async function bring_to_sight(selector) {
  const until = performance.now() + PATIENCE
  let found = []
  while (found.length == 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, LOOK))
    found = find_all(document.body, selector).filter((element) => element.checkVisibility())
  }
  found.at(-1)?.scrollIntoView({block: "nearest"})
}
