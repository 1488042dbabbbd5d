// Medians, and how sure one may be of them.

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/**
 * The ratio of two medians, and the interval that holds 95 % of the ratios of samples drawn from the samples again
 * (bootstrap). Values of one index were measured one after the other, and are drawn together.
 */
export function ratio(ours, theirs, draws = 1000) {
  const of = indices => median(indices.map(i => ours[i])) / median(indices.map(i => theirs[i]))
  const count = Math.min(ours.length, theirs.length)
  const all = Array.from({ length: count }, (_, i) => i)
  const random = generator()
  const drawn = Array.from({ length: draws }, () => of(all.map(() => Math.floor(random() * count))))
  drawn.sort((a, b) => a - b)
  const at = share => rounded(drawn[Math.floor(share * (draws - 1))])
  return { ratio: rounded(of(all)), low: at(0.025), high: at(0.975) }
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
