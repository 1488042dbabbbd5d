// A sample of what `npm run fuzz` does, and what it has found.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { declare, parameterScripts } from './parameters.ts'
import { runBatch } from './run-batch.ts'
import { Tally } from './tally.ts'

const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000)

test(`${FRAMES} frames in scripts of packets, ACKs, losses, time and verbs: every promise is kept`, () => {
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

const BLOBS = Math.ceil(FRAMES / 20)

test(`RFC 9000 §7.4: ${BLOBS} mutated transport parameters are taken, or refused by code`, () => {
  const codes = new Map<number, number>()
  const property = fc.property(parameterScripts, script => {
    const code = declare(script)
    codes.set(code, (codes.get(code) ?? 0) + 1)
  })
  fc.assert(property, { seed: 1, numRuns: BLOBS })
  expect(codes.get(ErrorCode.TransportParameterError)).toBeGreaterThan(BLOBS / 5)
  expect(codes.get(-1)).toBeGreaterThan(BLOBS / 20)
})
