// One batch: so many scripts from one seed, the first that breaks a promise made as small as possible.

import fc from 'fast-check'
import { play } from './play.ts'
import { type Script, scripts } from './script.ts'
import { Tally } from './tally.ts'

/** Scripts of one seed. */
export const BATCH = 250

export interface BatchResult {
  readonly seed: number
  readonly tally: Tally
  readonly failure: string | undefined
}

export function runBatch(seed: number, numRuns: number = BATCH): BatchResult {
  const tally = new Tally()
  const property = fc.property(scripts, script => {
    tally.scripts++
    play(script, tally)
  })
  const { failed, counterexample, errorInstance } = fc.check(property, { seed, numRuns })
  if (!failed) return { seed, tally, failure: undefined }
  const [script] = counterexample as [Script]
  return { seed, tally, failure: `${(errorInstance as Error).stack}\n${fc.stringify(script)}` }
}
