// Moves labels along a line until none overlap, with the least total movement.
//
// Less the sizes of the labels below each, the places must not decrease. The nearest such sequence is
// the isotonic regression: neighbours in the wrong order are replaced by their mean. Then all are
// moved between the two ends.

export function spread(places, sizes, low, high) {
  const order = places.map((_, n) => n).sort((a, b) => places[a] - places[b])
  let whole = 0
  const below = Array(places.length) // the height that is taken up to the middle of each
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

const TRIES = 4 // places that are tried in the height of the lowest label
const COVERED = 10 // as bad as a label that is moved so far: a cell of a curve under it

// The same where curves run: `covered` tells of a band how many cells of curves a label there would cover.
// Labels keep their order. Of all ways to stand, on places that are tried evenly, the one with the least
// movement and the least covered: the best places of each label above those of the one before.
export function spread_clear(places, sizes, low, high, covered) {
  const plain = spread(places, sizes, low, high)
  if (plain.every((middle, n) => covered(n, middle - sizes[n] / 2, middle + sizes[n] / 2) == 0)) {
    return plain
  }
  const order = plain.map((_, n) => n).sort((a, b) => plain[a] - plain[b])
  const step = Math.min(...sizes) / TRIES
  const tries = Math.floor((high - low) / step + 1e-6)
  let before = Array.from({length: tries + 1}, () => ({cost: 0, middles: []})) // by how far the height is used
  for (const n of order) {
    const used = Math.round(sizes[n] / step)
    const now = [{cost: Infinity, middles: []}]
    for (let end = 1; end <= tries; end++) {
      now.push(now[end - 1])
      if (end >= used) {
        const [bottom, middle] = [low + end * step, low + end * step - sizes[n] / 2]
        const {cost, middles} = before[end - used]
        const moved = cost + Math.abs(middle - places[n]) + COVERED * covered(n, bottom - sizes[n], bottom)
        if (moved < now[end].cost) {
          now[end] = {cost: moved, middles: [...middles, middle]}
        }
      }
    }
    before = now
  }
  const {middles, cost} = before[tries]
  return cost == Infinity ? plain : plain.map((_, n) => middles[order.indexOf(n)])
}
