// A sample of what `npm run fuzz` does, and what it has found.

import { expect, test } from 'vitest'
import { runBatch } from './run-batch.ts'
import { Tally } from './tally.ts'

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000)

test(`${FRAMES} frames in scripts of packets, ACKs, losses, time and verbs: every promise is kept`, {
  timeout: 120_000,
}, () => {
  const tally = new Tally()
  for (let seed = 1; tally.frames < FRAMES; seed++) {
    const { failure, ...result } = runBatch(seed)
    expect(failure, `npm run fuzz -- --seed ${seed} --frames 1`).toBe(undefined)
    tally.add(result.tally)
  }
  // All kinds of frames at all levels where they may stand, at both ends, and beyond.
  expect(tally.kinds.size).toBeGreaterThan(90)
  expect(tally.ends.size).toBeGreaterThan(9)
})
