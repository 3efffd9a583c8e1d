// The range of the vertical axis of a plot over the run. For the whole run the server computes it; for a
// part it follows from the values there, and stays as long as they fit, so that the axis does not tremble.

const PADDING = 0.015 // of the axis, on either side
const HEADROOM = 0.08 // ... where a part is seen
const LOOSE = 0.5 // of the axis: what fills less of it is drawn larger
const LEAST = {log: Math.log(1.2), share: 0.02} // that an axis spans

const last = new Map() // by view: the axis of a part

// `rows` gives the columns of a source; `part` is the first step and the last, null for the whole run.
export function height(view, figure, rows, part, all) {
  const {lines, floor, shares, usual} = figure.tags.find((tag) => tag.lines != null)
  const scale = figure.y_scale.type == "LogScale" ? {to: Math.log, back: Math.exp} : {to: Number, back: Number}
  if (part == null && (!all || usual[0] == 0)) {
    last.delete(view)
    return padded(rows(`${view}.frame`)?.y.map(scale.to) ?? [], PADDING, scale)
  }
  const fitting = lines.filter(({fits}) => fits)
  const values = fitting.flatMap(({source, columns}) => seen(rows(source), columns, part))
  const lasts = fitting.flatMap(({source, columns}) => columns.length > 1 ? [] : seen(rows(source), columns, part).slice(-1))
  if (values.length == 0) {
    return null
  }
  const sorted = Float64Array.from(values, (value) => scale.to(Math.max(value, floor ?? value))).sort()
  const [low, high] = (all ? [0, 100] : usual).map((share) => sorted[Math.round(share / 100 * (sorted.length - 1))])
  const ends = lasts.map((value) => scale.to(Math.max(value, floor ?? value)))
  const wanted = wide([Math.min(low, ...ends), Math.max(high, ...ends)], floor == null ? LEAST.share : LEAST.log)
  const name = `${view} ${figure.y_scale.type} ${all}`
  const shown = steady(last.get(view)?.name == name ? last.get(view).shown : null, wanted)
  last.set(view, {name, shown})
  return shares ? [Math.max(shown[0], Math.min(-PADDING, wanted[0])), Math.min(shown[1], 1 + PADDING)] : shown.map(scale.back)
}

// What is known in a part, and next to it: lines come from there, and go on there.
function seen(data, columns, part) {
  const {step = []} = data ?? {}
  const [low, high] = part ?? [-Infinity, Infinity]
  const from = Math.max(0, step.findIndex((x) => x >= low) - 1)
  const beyond = step.findIndex((x) => x > high)
  const to = beyond < 0 ? step.length : beyond + 1
  return columns.flatMap((column) => Array.from(data?.[column] ?? []).slice(from, to)).filter(Number.isFinite)
}

function wide([low, high], least) {
  const lacking = Math.max(0, least - (high - low)) / 2
  return [low - lacking, high + lacking]
}

function steady(shown, [low, high]) {
  const fits = shown != null && shown[0] <= low && high <= shown[1] && high - low >= LOOSE * (shown[1] - shown[0])
  const headroom = HEADROOM * (high - low)
  return fits ? shown : [low - headroom, high + headroom]
}

function padded([low, high], share, {back}) {
  return low == null ? null : [low - share * (high - low), high + share * (high - low)].map(back)
}
