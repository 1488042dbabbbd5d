// Extensible priorities (RFC 9218): the Priority field and PRIORITY_UPDATE.

import { Reader } from '../bytes/reader.ts'
import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import { frameError, varintLength } from './frames.ts'
import { isRequestStream } from './stream-type.ts'

export interface Priority {
  /** 0 (first) to 7 (last). */
  readonly urgency: number
  readonly isIncremental: boolean
}

/** RFC 9218 §4. */
export const defaultPriority: Priority = { urgency: 3, isIncremental: false }

/** A PRIORITY_UPDATE payload above this is not read: H3_EXCESSIVE_LOAD. */
export const MAX_PRIORITY_UPDATE_LENGTH: number = limits.priorityUpdateLength

/**
 * Reads a Priority field value. Of the dictionary (RFC 8941 §3.2) only `u` and `i` matter; members with unknown
 * names, wrong types or values out of range are ignored (RFC 9218 §4), and so is a value that is no dictionary. What it
 * does not say is as in `base`: the defaults for a client's, the client's for a server's (RFC 9218 §8).
 */
export function readPriority(value: string, base: Priority = defaultPriority): Priority {
  let { urgency, isIncremental } = base
  for (const member of value.split(',')) {
    // Parameters of a member (`u=1;x`) mean nothing here.
    const [name, item] = (member.split(';', 1)[0] as string).trim().split('=', 2)
    if (name === 'u' && item !== undefined && /^[0-7]$/.test(item)) urgency = Number(item)
    else if (name === 'i' && (item === undefined || item === '?1')) isIncremental = true
    else if (name === 'i' && item === '?0') isIncremental = false
  }
  return { urgency, isIncremental }
}

/** The value of a Priority field; '' for the defaults. */
export function writePriority({ urgency, isIncremental }: Priority): string {
  const members = urgency === defaultPriority.urgency ? [] : [`u=${urgency}`]
  if (isIncremental) members.push('i')
  return members.join(', ')
}

/** Of requests that did not come yet; beyond the bound PRIORITY_UPDATE is ignored (RFC 9218 §7). */
export class EarlyPriorities {
  readonly #kept = new Map<number, Priority>()

  keep(id: number, priority: Priority): void {
    if (this.#kept.size < limits.earlyPriorities || this.#kept.has(id)) this.#kept.set(id, priority)
  }

  take(id: number): Priority | undefined {
    const priority = this.#kept.get(id)
    if (priority !== undefined) this.#kept.delete(id)
    return priority
  }
}

export interface PriorityUpdate {
  readonly id: number
  readonly priority: Priority
}

/** The payload of a PRIORITY_UPDATE for a request stream (RFC 9218 §7.2). */
export function readPriorityUpdate(payload: Uint8Array): PriorityUpdate {
  const reader = new Reader(payload)
  if (reader.isDone || reader.remaining < varintLength(reader.peek())) throw frameError('PRIORITY_UPDATE cut short')
  const id = reader.varint()
  if (!isRequestStream(id)) throw new Http3Error(Http3ErrorCode.IdError, 'PRIORITY_UPDATE of what is no request')
  let value = ''
  while (!reader.isDone) value += String.fromCharCode(reader.u8())
  return { id, priority: readPriority(value) }
}
