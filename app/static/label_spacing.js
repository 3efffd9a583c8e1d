// Moves labels along a line until none overlap, with the least total movement.
//
// Less the sizes of the labels below each, the places must not decrease. The nearest such sequence is
// the isotonic regression: neighbours in the wrong order are replaced by their mean. Then all are
// moved between the two ends.

export function spread(places, sizes, low, high) {
  const order = places.map((_, n) => n).sort((a, b) => places[a] - places[b])
  let whole = 0
  const below = Array(places.length) // the room that is taken up to the middle of each
  for (const n of order) {
    below[n] = whole + sizes[n] / 2
    whole += sizes[n]
  }
  const groups = [] // the mean of each, and how many are in it
  for (const n of order) {
    let [mean, size] = [places[n] - below[n], 1]
    while (groups.length > 0 && groups.at(-1)[0] > mean) {
      const [lower, others] = groups.pop()
      mean = (mean * size + lower * others) / (size + others)
      size += others
    }
    groups.push([mean, size])
  }
  const means = groups.flatMap(([mean, size]) => Array(size).fill(mean))
  const moved = Array(places.length)
  order.forEach((n, place) => {
    moved[n] = Math.max(low, Math.min(high - whole, means[place])) + below[n]
  })
  return moved
}
