// The small plots of a class: loss curves, tallies, and what everybody has tried. All of them are SVG.

import {h, svg} from "./elements.js"
import {count, number, tick} from "../numbers.js"

const FLOOR = 1e-7 // of a loss on a logarithmic axis

export function log_scale(low, high) {
  const [a, b] = [Math.log(Math.max(low, FLOOR)), Math.log(Math.max(high, FLOOR))]
  return (value) => (b > a ? (Math.log(Math.max(value, FLOOR)) - a) / (b - a) : 0.5)
}

export function line(points, given = {}) {
  return svg("polyline", {
    points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
    fill: "none", "stroke-width": 2, "vector-effect": "non-scaling-stroke", ...given,
  })
}

// Curves of steps and losses, over common axes.
export function curves(all, width, height, label) {
  const points = all.flatMap(({curve}) => curve)
  const last = Math.max(1, ...points.map(([step]) => step))
  const losses = points.map(([, loss]) => loss)
  const up = log_scale(Math.min(1, ...losses), Math.max(...losses, FLOOR))
  const lines = all.filter(({curve}) => curve.length > 0).map(({curve, ...given}) => {
    return line(curve.map(([step, loss]) => [width * step / last, height * (1 - up(loss))]), given)
  })
  return svg("svg", {viewBox: `0 -2 ${width} ${height + 4}`, preserveAspectRatio: "none", role: "img", "aria-label": label},
    ...lines)
}

// All curves of a class in one plot, with axes: steps across, and the loss on a logarithmic scale.
export function overlay(all, width, height) {
  const [left, bottom] = [64, 42]
  const points = all.flatMap(({curve}) => curve)
  const last = Math.max(1, ...points.map(([step]) => step))
  const losses = points.map(([, loss]) => loss)
  const [low, high] = [Math.min(1, ...losses), Math.max(...losses, 10 * FLOOR)]
  const up = log_scale(low, high)
  const x = (step) => left + (width - left - 12) * step / last
  const y = (loss) => 8 + (height - bottom - 8) * (1 - up(loss))
  const powers = decades(low, high)
  const apart = Math.ceil(powers.length / 9) // of the decades that are written
  const ticks = (powers.length > 1 ? powers.filter((_, n) => n % apart == 0) : [low, high]).map((loss) => [
    svg("line", {x1: left, x2: width - 12, y1: y(loss), y2: y(loss), class: "grid"}),
    svg("text", {x: left - 6, y: y(loss) + 4, "text-anchor": "end"}, tick(Number(loss.toPrecision(2)))),
  ])
  const lines = all.filter(({curve}) => curve.length > 0).map(({curve, ...given}) => {
    return line(curve.map(([step, loss]) => [x(step), y(loss)]), given)
  })
  const along = [0, 0.5, 1].map((part) => svg("text", {x: x(part * last), y: height - 22, "text-anchor": part == 1 ? "end" : "middle"}, count(Math.round(part * last))))
  return svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": all.length == 1 ? "The loss curve of 1 student" : `The loss curves of ${all.length} students`},
    ...ticks.flat(), ...along,
    svg("text", {x: (left + width) / 2, y: height - 5, "text-anchor": "middle"}, "step"),
    svg("text", {x: 12, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${height / 2})`}, "loss"),
    ...lines)
}

// How many chose each option, before and after.
export function tallies({options, before, after, predicted}) {
  const most = Math.max(1, ...before ?? [], ...after ?? [])
  const bar = (kind, count) => h("span", {class: `bar ${kind}`}, h("i", {style: `width: ${70 * count / most}%`}), String(count))
  return h("div", {class: "tallies"},
    h("p", {class: "quiet"}, h("i", {class: "sample predicted"}), "predicted ",
      after && h("i", {class: "sample seen"}), after && "seen"),
    h("dl", {}, ...options.flatMap((option, n) => [
      h("dt", {}, option, predicted === n && h("em", {}, " (your prediction)")),
      h("dd", {}, before && bar("predicted", before[n]), after && bar("seen", after[n])),
    ])))
}

// Everything that the class has tried: learning rate across, penalty upwards, the best brightest.
export function trials(all, width, height) {
  const left = 76
  const bottom = 34
  const rates = all.map(([rate]) => rate)
  const penalties = all.map(([, penalty]) => penalty).filter((penalty) => penalty > 0)
  const [low, high] = [Math.min(...rates, 0.001), Math.max(...rates, 1)]
  const [least, most] = [Math.min(...penalties, 1e-5), Math.max(...penalties, 0.1)]
  const [right, up] = [log_scale(low, high), log_scale(least, most)]
  const none = height - bottom - 8 // where no penalty lies
  const x = (rate) => left + (width - left - 12) * right(rate)
  const y = (penalty) => (penalty > 0 ? 12 + (none - 40) * (1 - up(penalty)) : none)
  const accuracies = all.map(([, , accuracy]) => accuracy)
  const [worst, best] = [Math.min(...accuracies), Math.max(...accuracies)]
  const share = (accuracy) => (best > worst ? (accuracy - worst) / (best - worst) : 1)
  const dots = [...all].sort((a, b) => a[2] - b[2]).map(([rate, penalty, accuracy], n) => svg("circle", {
    cx: x(rate).toFixed(1), cy: y(penalty).toFixed(1), r: n == all.length - 1 ? 9 : 6,
    fill: `color-mix(in srgb, var(--class-good) ${Math.round(100 * share(accuracy))}%, var(--class-bad))`,
    class: n == all.length - 1 ? "best" : "",
  }, svg("title", {}, `learning rate ${number(rate)}, L2 ${number(penalty)}: ${(100 * accuracy).toFixed(1)} %`)))
  const ticks = decades(low, high).map((rate) => svg("text", {x: x(rate), y: height - 18, "text-anchor": "middle"}, tick(rate)))
  const sides = decades(least, most).map((penalty) => svg("text", {x: left - 6, y: y(penalty) + 4, "text-anchor": "end"}, tick(penalty)))
  return svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", class: "trials",
    "aria-label": `${all.length} settings tried, the best with ${(100 * best).toFixed(1)} % validation accuracy`},
    svg("line", {x1: left, x2: width - 12, y1: none + 12, y2: none + 12, class: "axis"}),
    ...ticks, ...sides,
    svg("text", {x: left - 6, y: none + 4, "text-anchor": "end"}, "0"),
    svg("text", {x: (left + width) / 2, y: height - 3, "text-anchor": "middle"}, "learning rate"),
    svg("text", {x: 12, y: height / 2 - 10, "text-anchor": "middle", transform: `rotate(-90 12 ${height / 2 - 10})`}, "L2 strength"),
    ...dots)
}

function decades(low, high) {
  const powers = []
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += 1) {
    powers.push(10 ** power)
  }
  return powers
}
