// Words along horizontal lines of a plot, such as the loss of chance: where they cross no curve and no name.

import {CELL, cells_taken} from "./crossings.js"

const LETTER = 0.48 // of the size of type, on average
const NEAR = 3 // pixels from a line to the words above or below it

const kept = new WeakMap() // by the range of a plot: where its words stood last, so that they stay if they can

// `names` are the boxes of names that stand among the curves.
export function levels(plot, lines, curves, names) {
  const seen = lines.filter(({y}) => plot.y(y) > plot.top && plot.y(y) < plot.bottom)
  return seen.map(({y, label, colour}) => {
    const width = LETTER * plot.type * label.length
    return {...free(plot, plot.y(y), width, curves, names), text: label, colour}
  })
}

// The first place from the left that is free, below the line or above it, or else the least crowded one.
function free(plot, level, width, curves, names) {
  const height = 1.2 * plot.type
  const cell = CELL * plot.type
  const tops = [level + NEAR, level - NEAR - height].filter((y) => y > plot.top && y + height < plot.bottom)
  const bands = tops.map((y) => ({y, taken: cells_taken(plot, {top: y - NEAR, bottom: y + height + NEAR}, curves, names)}))
  const wide = Math.ceil(width / cell)
  const places = bands.flatMap(({y, taken}, below) => {
    const starts = Array.from({length: Math.max(0, taken.length - wide - 1)}, (_, n) => n + 1)
    return starts.map((n) => ({n, y, below, crossed: taken.slice(n, n + wide).filter(Boolean).length}))
  })
  const last = kept.get(plot.range)
  const least = Math.min(...places.map(({crossed}) => crossed))
  const best = places.filter(({crossed}) => crossed == least)
  const chosen = best.find(({n, below}) => n == last?.n && below == last.below) ?? best[0]
  kept.set(plot.range, chosen)
  return {x: plot.left + (chosen?.n ?? 1) * cell, y: chosen?.y ?? level + NEAR}
}
