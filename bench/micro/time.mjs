// One subject, timed by the package `benchmark`.

import Benchmark from 'benchmark'

/** Samples of a millisecond: many of them pass without being interrupted, also on a machine that others use. */
const SAMPLE = 0.001
/** Of the sorted samples, the one that is taken: uninterrupted, and not the luckiest. */
const QUANTILE = 0.2

/**
 * Nanoseconds of one run, the lowest fifth of the samples; the error of their mean in per cent, which says how busy the
 * machine was. Before that it runs as long again, for the optimizing compiler.
 */
export function time(run, seconds) {
  for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) for (let i = 0; i < 20; i++) run()
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark('', run, { maxTime: seconds, minSamples: 30, minTime: SAMPLE })
    benchmark.on('error', () => reject(benchmark.error))
    benchmark.on('complete', () => {
      const { sample, rme } = benchmark.stats
      const sorted = [...sample].sort((a, b) => a - b)
      resolve({ ns: sorted[Math.floor(QUANTILE * sorted.length)] * 1e9, error: rme })
    })
    benchmark.run({ async: true })
  })
}
