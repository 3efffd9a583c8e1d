// Places along a line moved until no two are closer than a gap, all of them together as little as can be.
//
// Without the gaps that lie below each, they only must not fall: neighbours that would are put at their
// mean, which is the isotonic regression. Then all are pushed between the two ends.

export function apart(places, gap, low, high) {
  const order = places.map((_, n) => n).sort((a, b) => places[a] - places[b])
  const groups = [] // the mean of each, and how many are in it
  for (const [below, n] of order.entries()) {
    let [mean, size] = [places[n] - below * gap, 1]
    while (groups.length > 0 && groups.at(-1)[0] > mean) {
      const [lower, others] = groups.pop()
      mean = (mean * size + lower * others) / (size + others)
      size += others
    }
    groups.push([mean, size])
  }
  const means = groups.flatMap(([mean, size]) => Array(size).fill(mean))
  const moved = Array(places.length)
  order.forEach((n, below) => {
    const least = low + below * gap
    const most = high - (places.length - 1 - below) * gap
    moved[n] = Math.max(least, Math.min(most, means[below] + below * gap))
  })
  return moved
}
