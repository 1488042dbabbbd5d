// Stream identifiers (RFC 9000 §2.1).

import type { StreamDirection } from '../packet/frames/frame.ts'

export type Role = 'client' | 'server'

/** One of the four types of stream: the two least significant bits of an id. */
export type StreamKind = 0 | 1 | 2 | 3

export function kindOf(id: number): StreamKind {
  return (id & 3) as StreamKind
}

export function streamKind(initiator: Role, direction: StreamDirection): StreamKind {
  return ((initiator === 'server' ? 1 : 0) | (direction === 'uni' ? 2 : 0)) as StreamKind
}

export function initiatorOf(id: number): Role {
  return (id & 1) === 0 ? 'client' : 'server'
}

export function directionOf(id: number): StreamDirection {
  return (id & 2) === 0 ? 'bidi' : 'uni'
}

/** The how manieth of its kind, from 0. By division, because ids have more than 32 bits. */
export function indexOf(id: number): number {
  return Math.floor(id / 4)
}

export function streamId(kind: StreamKind, index: number): number {
  return index * 4 + kind
}
