// One batch: so many scripts from one seed, the first that breaks a promise made as small as possible.

import fc from 'fast-check'
import { declare, parameterScripts } from './parameters.ts'
import { play } from './play.ts'
import { scripts } from './script.ts'
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
  const frames = fc.property(scripts, script => {
    tally.scripts++
    play(script, tally)
  })
  const parameters = fc.property(parameterScripts, script => void declare(script))
  const failure =
    failureOf(fc.check(frames, { seed, numRuns })) ?? failureOf(fc.check(parameters, { seed, numRuns: numRuns / 10 }))
  return { seed, tally, failure }
}

/** The smallest script that breaks the promise. */
function failureOf<T>({ failed, counterexample, errorInstance }: fc.RunDetails<[T]>): string | undefined {
  return failed ? `${(errorInstance as Error).stack}\n${fc.stringify(counterexample?.[0])}` : undefined
}
