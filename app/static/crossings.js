// Where curves run across a plot, in cells: there words would cover them.

export const CELL = 0.5 // of the size of type: the width of a cell
const ROW = 0.25 // ... its height, in a grid

// For the band between two heights: for each cell, from left to right, whether a curve runs through it, or one
// of these boxes lies there.
export function cells_taken(plot, {top, bottom}, curves, boxes) {
  const taken = Array(columns(plot)).fill(false)
  for (const curve of curves) {
    trace(plot, curve, (column, least, most) => taken[column] ||= least < bottom && most > top)
  }
  for (const box of boxes.filter((box) => box.top < bottom && box.bottom > top)) {
    const [first, last] = [box.left, box.right].map((x) => Math.floor((x - plot.left) / (CELL * plot.type)))
    taken.fill(true, Math.max(0, first), Math.max(0, last + 1))
  }
  return taken
}

// All cells of a plot, computed once, so that each box is counted quickly.
export class Crossings {
  #plot
  #row
  #columns
  #taken

  constructor(plot, curves) {
    this.#plot = plot
    this.#row = ROW * plot.type
    this.#columns = columns(plot)
    this.#taken = Array.from({length: this.#place(plot.bottom) + 1}, () => new Uint8Array(this.#columns))
    for (const curve of curves) {
      trace(plot, curve, (column, least, most) => {
        if (most < plot.top) {
          return
        }
        for (let row = this.#place(least); row <= Math.min(this.#taken.length - 1, this.#place(most)); row++) {
          this.#taken[row][column] = 1
        }
      })
    }
  }

  #place(y) {
    return Math.max(0, Math.floor((y - this.#plot.top) / this.#row))
  }

  // The columns of cells in this box that curves run through.
  count({top, bottom, left, right}) {
    const rows = this.#taken.slice(this.#place(top), this.#place(bottom - 0.01) + 1)
    const [first, last] = [left, right].map((x) => Math.floor((x - this.#plot.left) / (CELL * this.#plot.type)))
    let crossed = 0
    for (let column = Math.max(0, first); column <= Math.min(last, this.#columns - 1); column++) {
      crossed += rows.some((row) => row[column]) ? 1 : 0
    }
    return crossed
  }
}

function columns(plot) {
  return Math.max(0, Math.floor((plot.right - plot.left) / (CELL * plot.type)))
}

// Calls `mark` with each column of cells that a curve runs through, and its least and greatest height there.
function trace(plot, {x, y}, mark) {
  let left = null
  for (let n = 0; n < y.length; n++) {
    const right = {x: plot.x(x[n]), y: plot.y(y[n])}
    if (Number.isFinite(right.y)) {
      cross(plot, left ?? right, right, mark)
      left = right
    }
  }
}

// The same for a straight piece.
function cross(plot, left, right, mark) {
  const cell = CELL * plot.type
  const last = Math.min(columns(plot) - 1, Math.floor((right.x - plot.left) / cell))
  for (let place = Math.max(0, Math.floor((left.x - plot.left) / cell)); place <= last; place++) {
    const from = plot.left + place * cell
    const [one, other] = [height_at(left, right, Math.max(from, left.x)), height_at(left, right, Math.min(from + cell, right.x))]
    mark(place, Math.min(one, other), Math.max(one, other))
  }
}

function height_at(left, right, x) {
  return right.x == left.x ? right.y : left.y + (x - left.x) / (right.x - left.x) * (right.y - left.y)
}
