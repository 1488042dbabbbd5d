// How an endpoint ends: nothing new comes in, what was begun is finished, the rest is cut off (RFC 9000 §10.2).

import { MAX_DELAY } from './clock.ts'
import { assertErrorCode } from './errors.ts'
import type { QuicSession } from './quic-session.ts'

export interface CloseOptions {
  /**
   * ms that streams and requests under way may take; Infinity: as long as they need. Default 0, which cuts them off;
   * 10,000 for `serve`.
   */
  readonly deadline?: number
  /** Of the application, told to peers. Default 0; H3_NO_ERROR for `serve`. */
  readonly errorCode?: number
  readonly reason?: string
  /** When it is aborted, the deadline has come. */
  readonly signal?: AbortSignal
}

/** Throws a RangeError for what does not fit. */
export function assertClose({ deadline = 0, errorCode = 0 }: CloseOptions): void {
  assertErrorCode(errorCode)
  if (deadline === Number.POSITIVE_INFINITY || (deadline >= 0 && deadline <= MAX_DELAY)) return
  throw new RangeError(`deadline must be from 0 to ${MAX_DELAY} ms, or Infinity, not ${deadline}`)
}

/** Closes each session when it is done with what was begun. Resolves when all are, or at the deadline. */
export async function finishAll(sessions: Iterable<QuicSession>, options: CloseOptions): Promise<void> {
  const { deadline = 0, errorCode = 0, reason = '', signal } = options
  if (deadline === 0 || signal?.aborted) return
  const finish = (session: QuicSession): Promise<void> => session.finish().then(() => session.close(errorCode, reason))
  const finished = Promise.all(Array.from(sessions, finish))
  let end: () => void = () => {}
  const cut = new Promise<void>(resolve => {
    end = resolve
  })
  const timer = deadline === Number.POSITIVE_INFINITY ? undefined : setTimeout(end, deadline)
  signal?.addEventListener('abort', end)
  await Promise.race([finished, cut])
  clearTimeout(timer)
  signal?.removeEventListener('abort', end)
}
