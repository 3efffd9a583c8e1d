// Words along horizontal lines of a plot, such as the loss of chance: where they cross no curve.

const LETTER = 0.48 // of the size of type, on average
const STEP = 0.5 // ... from one place that is tried to the next
const NAME = 5.6 // of the size of type: so far to the right of a curve's end its name may reach
const LINES = 2 // ... and so far above it or below
const NEAR = 3 // pixels from a line to the words above or below it

const kept = new WeakMap() // by the range of a plot: where its words stood last, so that they stay if they can

export function levels(plot, lines, curves) {
  const seen = lines.filter(({y}) => plot.y(y) > plot.top && plot.y(y) < plot.bottom)
  return seen.map(({y, label, colour}) => {
    const width = LETTER * plot.type * label.length
    return {...free(plot, plot.y(y), width, curves), text: label, colour}
  })
}

// The first place from the left that is free, below the line or above it, or else the least crowded one.
function free(plot, level, width, curves) {
  const height = 1.2 * plot.type
  const cell = STEP * plot.type
  const tops = [level + NEAR, level - NEAR - height].filter((y) => y > plot.top && y + height < plot.bottom)
  const bands = tops.map((y) => ({y, taken: cells_taken(plot, {top: y - NEAR, bottom: y + height + NEAR}, cell, curves)}))
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

// The band that the words would fill, in cells from left to right: which of them a curve runs through.
function cells_taken(plot, {top, bottom}, cell, curves) {
  const taken = Array(Math.floor((plot.right - plot.left) / cell)).fill(false)
  for (const {x, y} of curves) {
    let left = null
    for (let n = 0; n < y.length; n++) {
      const right = {x: plot.x(x[n]), y: plot.y(y[n])}
      if (Number.isFinite(right.y)) {
        take(taken, left ?? right, right, {plot, top, bottom, cell})
        left = right
      }
    }
    if (left != null) { // its name, somewhere near its end
      const near = LINES * plot.type
      take(taken, left, {x: left.x + NAME * plot.type, y: left.y}, {plot, top: top - near, bottom: bottom + near, cell})
    }
  }
  return taken
}

// The cells that a straight piece of a curve runs through.
function take(taken, left, right, {plot, top, bottom, cell}) {
  const last = Math.min(taken.length - 1, Math.floor((right.x - plot.left) / cell))
  for (let place = Math.max(0, Math.floor((left.x - plot.left) / cell)); place <= last; place++) {
    const from = plot.left + place * cell
    const [one, other] = [height_at(left, right, Math.max(from, left.x)), height_at(left, right, Math.min(from + cell, right.x))]
    taken[place] ||= Math.min(one, other) < bottom && Math.max(one, other) > top
  }
}

function height_at(left, right, x) {
  return right.x == left.x ? right.y : left.y + (x - left.x) / (right.x - left.x) * (right.y - left.y)
}
