// What is said of samples: medians, their spread, and how sure one may be of a difference.

import { median, ratio, rounded } from '../../../bench/lib/statistics.mjs'

/** Of ms; the five numbers of a box plot, which the paper draws. */
export function summary(samples) {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = share => rounded(sorted[Math.round(share * (sorted.length - 1))])
  return {
    p50ms: rounded(median(samples)),
    minMs: at(0),
    q1Ms: at(0.25),
    q3Ms: at(0.75),
    p95Ms: at(0.95),
    maxMs: at(1),
    samples: samples.length,
  }
}

/** How much `ours` takes more than `theirs`, as a share of the medians: -0.28 is 28 % less. With the interval of 95 %. */
export function change(ours, theirs) {
  const { ratio: middle, low, high } = ratio(ours, theirs)
  return { change: rounded(middle - 1), low: rounded(low - 1), high: rounded(high - 1) }
}

export function percent(share) {
  const value = 100 * share
  return `${value > 0 ? '+' : ''}${value.toFixed(Math.abs(value) < 9.95 ? 1 : 0)} %`
}

/** Least squares: y = slope * x + intercept, and how much of y's variation it explains. */
export function line(xs, ys) {
  const mean = values => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x0, y0] = [mean(xs), mean(ys)]
  const sum = of => xs.reduce((total, x, i) => total + of(x - x0, ys[i] - y0), 0)
  const xy = sum((x, y) => x * y)
  const xx = sum(x => x * x)
  const slope = xy / xx
  return {
    slope: rounded(slope),
    intercept: rounded(y0 - slope * x0),
    r2: rounded(xy ** 2 / (xx * sum((_, y) => y * y))),
  }
}

/** How often each of some texts occurs. */
export function counted(texts) {
  const counts = {}
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1
  return counts
}
