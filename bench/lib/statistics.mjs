// Medians, and how sure one may be of them.

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/**
 * The ratio of two medians, and the interval that holds 95 % of the ratios of samples drawn from the samples again
 * (bootstrap). Values of one index were measured one after the other, and are drawn together.
 */
export function ratio(ours, theirs) {
  const of = indices => median(indices.map(i => ours[i])) / median(indices.map(i => theirs[i]))
  const { value, ...interval } = drawnAgain(Math.min(ours.length, theirs.length), of)
  return { ratio: value, ...interval }
}

/**
 * The straight line through `points`, lists of [x, y] of which each was measured in one go: least squares, and the
 * interval that holds 95 % of the slopes when lists are drawn again.
 */
export function line(points) {
  const of = indices => fit(indices.flatMap(i => points[i])).slope
  const { value, ...interval } = drawnAgain(points.length, of)
  return { slope: value, ...interval, intercept: rounded(fit(points.flat()).intercept) }
}

function fit(points) {
  const mean = at => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const slope =
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return { slope, intercept: y - slope * x }
}

/** `of(indices)` for all of them, and between what 95 % of its values are when indices are drawn again. */
function drawnAgain(count, of, draws = 1000) {
  const all = Array.from({ length: count }, (_, i) => i)
  const random = generator()
  const drawn = Array.from({ length: draws }, () => of(all.map(() => Math.floor(random() * count))))
  drawn.sort((a, b) => a - b)
  const at = share => rounded(drawn[Math.floor(share * (draws - 1))])
  return { value: rounded(of(all)), low: at(0.025), high: at(0.975) }
}

export function rounded(value) {
  return Number(value.toPrecision(3))
}

/** The same draws each time (mulberry32). */
function generator(seed = 1) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
