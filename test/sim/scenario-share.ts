// The seeds of `npm test`, in shares: one test file runs one share, so that they run side by side.

import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'
import { scenarioOf, seedsFor } from './scenarios.ts'

export const SEEDS: number = Number(process.env['SIM_SEEDS'] ?? 2000)
export const SHARES = 4

/** Every tenth seed with real cryptography. */
const REAL_CRYPTO = 10

export function testShare(share: number): void {
  const groups = new Map<string, number[]>()
  seedsFor(SEEDS).forEach((seed, i) => {
    if (i % SHARES !== share) return
    const name = scenarioOf(seed)
    groups.set(name, [...(groups.get(name) ?? []), seed])
  })
  for (const [name, seeds] of groups) {
    test(`${name}: ${seeds.length} seeds`, () => {
      for (const [i, seed] of seeds.entries()) {
        const crypto = i % REAL_CRYPTO === 0 ? 'node' : 'fast'
        const { error } = runSeed(seed, { crypto })
        expect(error, `npm run sim -- --seed ${seed} --crypto ${crypto} --qlog .cache/qlog`).toBe(undefined)
      }
    })
  }
}
