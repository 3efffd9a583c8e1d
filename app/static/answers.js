// Digits answer what a lesson asks: each of its buttons has a number of its own.

import {find_all} from "./find.js"

const ASKED = ["saw", "predict", "vary"] // what is asked, most urgent first
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
