// Memory of an endpoint: how much its connections may hold, and who has to go when that is not enough.

import { totalmem } from 'node:os'
import type { MemoryBudget } from '../bytes/memory-budget.ts'
import { QuicError } from './errors.ts'
import type { QuicSession } from './quic-session.ts'

/** Less than this would not even let one connection be fast. */
const LEAST_DEFAULT = 64 * 1024 * 1024

/** A quarter of what the machine has, or the container if that is less. */
export function defaultMemory(): number {
  // 0, or more than there is: not constrained.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY
  return Math.max(LEAST_DEFAULT, Math.floor(Math.min(constrained, totalmem()) / 4))
}

/**
 * The last resort, after windows have shrunk and new clients were refused: those who hold most are closed, one by one,
 * until the others fit.
 */
export function relieve(budget: MemoryBudget, sessions: Iterable<QuicSession>): void {
  while (budget.isExceeded) {
    const largest = largestOf(sessions)
    if (largest === undefined) return
    const { memoryUsed } = largest.connection
    const message = `closed for the ${memoryUsed} bytes it held: all connections together had more than maxMemory, ${budget.limit}`
    largest.shed(new QuicError('ERR_ZEROTRIP_OUT_OF_MEMORY', message))
  }
}

function largestOf(sessions: Iterable<QuicSession>): QuicSession | undefined {
  let largest: QuicSession | undefined
  let most = 0
  for (const session of sessions) {
    const { memoryUsed } = session.connection
    if (memoryUsed > most) {
      largest = session
      most = memoryUsed
    }
  }
  return largest
}
