// The axis of all plots over the run: where a step lies on it, and which words stand along it.
//
// A place is a number along the axis as it is drawn: steps or epochs, evenly spaced or in powers of ten.
// In powers, the first step lies as far from step 0 as from the tenth, since 0 has no logarithm.

import {count, tick} from "./numbers.js"

const INTERVALS = [1, 2, 5] // ... times a power of ten: from one tick to the next
const ENOUGH = 3 // ticks along an axis

let known = {step: [0, 1], epoch: [0, 1]} // the epoch at some steps; in between it grows evenly
let in_epochs = false
let in_powers = false

export function learn({step, epoch}) {
  known = {step, epoch}
}

export function count_in(epochs) {
  in_epochs = epochs
}

export function space(powers) {
  in_powers = powers
}

export function unit() {
  return in_epochs ? "epoch" : "step"
}

// What a place depends on: when this changes, all places do.
export function scale() {
  return `${unit()} ${in_powers ? first() : ""}`
}

export function place(step, epoch = epoch_of(step)) {
  const value = in_epochs ? epoch : step
  return in_powers ? Math.log10(1 + value / first()) : value
}

export function step_at(place) {
  return in_epochs ? between(value_at(place), known.epoch, known.step) : value_at(place)
}

export function epoch_of(step) {
  return between(step, known.step, known.epoch)
}

function value_at(place) {
  return in_powers ? (10 ** place - 1) * first() : place
}

function first() {
  return in_epochs ? epoch_of(1) : 1
}

// Where `x` lies on the line through points, whose first and last piece go on.
function between(x, xs, ys) {
  let n = 1
  while (n < xs.length - 1 && xs[n] < x) {
    n += 1
  }
  const [run, rise] = [xs[n] - xs[n - 1], ys[n] - ys[n - 1]]
  return run > 0 ? ys[n - 1] + (x - xs[n - 1]) * rise / run : ys[n]
}

// Ticks between two places, about so many: whole steps, or round figures of epochs.
export function time_ticks(start, end, wanted) {
  const [low, high] = [value_at(start), value_at(end)]
  const apart = (end - start) / (2 * wanted)
  const choices = in_powers ? [powers(high, [1]), powers(high, INTERVALS), even(low, high, wanted)] : [even(low, high, wanted)]
  const placed = choices.map((values) => values.map(place_of).filter((x) => x >= start && x <= end))
  const ticks = placed.find((some) => some.length >= ENOUGH) ?? placed.at(-1)
  return ticks.reduce((kept, x) => kept.length == 0 || x - kept.at(-1) >= apart ? [...kept, x] : kept, [])
}

function place_of(value) {
  return in_powers ? Math.log10(1 + value / first()) : value
}

function powers(high, mantissas) {
  const least = in_epochs ? Math.floor(Math.log10(first())) : 0
  const found = [0]
  for (let n = least; 10 ** n <= high; n++) {
    found.push(...mantissas.map((mantissa) => mantissa * 10 ** n))
  }
  return found
}

function even(low, high, wanted) {
  const ideal = (high - low) / wanted
  const power = 10 ** Math.floor(Math.log10(ideal))
  const off = (interval) => Math.abs((high - low) / interval - wanted)
  const [best] = [...INTERVALS, 10].map((x) => x * power).sort((a, b) => off(a) - off(b))
  const interval = in_epochs ? best : Math.max(1, best)
  const from = Math.ceil(low / interval - 1e-9)
  const ticks = Math.floor(high / interval + 1e-9) - from + 1
  return Array.from({length: Math.max(0, ticks)}, (_, n) => (from + n) * interval)
}

export function time_words(place) {
  const value = value_at(place)
  return in_epochs ? tick(Number(value.toPrecision(6))) : count(value)
}
