// What a gateway adds to a request and to its answer.

import { randomUUID } from 'node:crypto'
import type { MutableFields } from '../http/fields.ts'

export interface AnswerHeaders {
  readonly callId: string
  readonly added: readonly (readonly [string, string])[]
}

const SERVED_BY = 'zerotrip-gateway'

/** Adds to the headers of a request; `remote`: the caller's address and port, if known. What is for the answer returns. */
export function addCallHeaders(headers: MutableFields, host: string, remote: string | undefined): AnswerHeaders {
  const given = headers.get('x-call-id')
  const callId = given ?? randomUUID()
  const started = String(nextTime())
  headers.set('x-call-id', callId)
  headers.set('x-start-time', started)
  if (!headers.has('x-forwarded-host')) headers.set('x-forwarded-host', host)
  if (!headers.has('x-forwarded-for') && remote !== undefined) headers.set('x-forwarded-for', remote)
  const own = [['x-start-time', started] as const, ['x-served-by', SERVED_BY] as const]
  return { callId, added: given === null ? [['x-call-id', callId], ...own] : own }
}

let last = 0n

/** ns since 1970, more than a number holds; never twice the same, so that with its id it names one call. */
function nextTime(): bigint {
  const now = BigInt(Date.now()) * 1_000_000n
  last = now > last ? now : last + 1n
  return last
}
