// Writes numbers by the same rules as app/numbers.py, digit by digit.

const NUDGE = 1 + 4 * Number.EPSILON // what lies in the middle between two roundings goes outwards

// A whole number: 12,345.
export function count(value) {
  return with_minus(BigInt(Math.round(value)).toString().replace(/\B(?=(\d{3})+$)/g, ","))
}

// A figure as precise as one can read while it moves.
export function number(value) {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞"
  }
  const nudged = value * NUDGE
  const size = Math.abs(nudged)
  if (size != 0 && (size < 1e-3 || size >= 99999.5)) {
    return with_minus(nudged.toExponential(1).replace("e+", "e"))
  }
  if (size < 9.9995) {
    return with_minus(nudged.toFixed(3))
  }
  return size < 999.95 ? with_minus(`${Number(nudged.toPrecision(4))}`) : count(nudged)
}

// A figure without the zeros that only keep its width: along axes.
export function tick(value) {
  return number(value).replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "")
}

// The number that a figure stands for, however many places it has: 12,345 or 1e-6.
export function read(text) {
  return Number(text.replaceAll(",", "").replace("−", "-"))
}

function with_minus(text) {
  return text.replace(/^-/, "−")
}
