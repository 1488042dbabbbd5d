// What is done to a connection, by chance: packets with frames that may be damaged, acknowledgments and losses, time,
// verbs of the application, all in any order.

import fc, { type Arbitrary } from 'fast-check'
import { Level } from '../../src/packet/level.ts'
import type { Stage } from '../conformance/hand-made-peer.ts'
import { DATAGRAM, type FrameScript, framesAt, STREAMS } from './frames.ts'

/** A change of the bytes of a plaintext. `at` counts from the end round and round. */
export interface Mutation {
  readonly how: 'flip' | 'set' | 'cut' | 'insert' | 'repeat'
  readonly at: number
  readonly value: number
}

export interface PacketStep {
  readonly do: 'packet'
  readonly level: Level
  readonly frames: readonly FrameScript[]
  readonly mutations: readonly Mutation[]
  /** From an address it does not know. */
  readonly isMoved: boolean
  /** Added to the packet number: below 0 it was used before. */
  readonly skip: number
}

export type Verb =
  | { readonly verb: 'open'; readonly direction: 'bidi' | 'uni' }
  | { readonly verb: 'write'; readonly id: number; readonly length: number; readonly fin: boolean }
  | { readonly verb: 'read'; readonly id: number }
  | { readonly verb: 'reset' | 'stop'; readonly id: number; readonly code: number }
  | { readonly verb: 'resetAt'; readonly id: number; readonly code: number; readonly length: number }
  | { readonly verb: 'setPriority'; readonly id: number; readonly urgency: number; readonly isIncremental: boolean }
  | { readonly verb: 'sendDatagram'; readonly length: number }
  | { readonly verb: 'updateKeys' | 'migrate' | 'close' }

export type Step =
  | PacketStep
  /** Acknowledges what it has sent: all, the last packet alone (those before it are lost), or every other. */
  | { readonly do: 'ack'; readonly which: 'all' | 'newest' | 'alternate' }
  | { readonly do: 'pass'; readonly ms: number }
  /** The peer goes on with the handshake. */
  | { readonly do: 'speak'; readonly level: Level }
  | { readonly do: 'updateKeys' }
  | { readonly do: 'act'; readonly act: Verb }

export interface Script {
  readonly role: 'client' | 'server'
  readonly stage: Stage
  /** Server: the client offers early data, and its packets can be opened. */
  readonly isEarly: boolean
  /** DATAGRAM, ACK_FREQUENCY, IMMEDIATE_ACK, RESET_STREAM_AT. */
  readonly hasExtensions: boolean
  readonly idLength: number
  readonly seed: number
  readonly steps: readonly Step[]
}

const mutation: Arbitrary<Mutation> = fc.record({
  how: fc.constantFrom('flip', 'set', 'set', 'cut', 'insert', 'repeat'),
  at: fc.nat(200),
  value: fc.constantFrom(0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff),
})

const isMoved = fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })
const skip = fc.oneof(
  { weight: 20, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1, 2, 300) },
)
const mutations = fc.oneof(
  { weight: 60, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
)

function packetAt(level: Level): Arbitrary<PacketStep> {
  return fc.record({
    do: fc.constant('packet' as const),
    level: fc.constant(level),
    frames: fc.array(framesAt[level] as Arbitrary<FrameScript>, { minLength: 1, maxLength: 12, size: 'max' }),
    mutations,
    isMoved,
    skip,
  })
}

const packet = fc.oneof(
  { weight: 20, arbitrary: packetAt(Level.OneRtt) },
  { weight: 1, arbitrary: packetAt(Level.Initial) },
  { weight: 2, arbitrary: packetAt(Level.ZeroRtt) },
  { weight: 1, arbitrary: packetAt(Level.Handshake) },
)

const ownId = fc.nat(4 * STREAMS + 3)
const act: Arbitrary<Verb> = fc.oneof(
  fc.record({ verb: fc.constant('open' as const), direction: fc.constantFrom('bidi' as const, 'uni' as const) }),
  fc.record({
    verb: fc.constant('write' as const),
    id: ownId,
    length: fc.constantFrom(0, 1, 100, 3000, 20_000),
    fin: fc.boolean(),
  }),
  fc.record({ verb: fc.constant('read' as const), id: ownId }),
  fc.record({ verb: fc.constantFrom('reset' as const, 'stop' as const), id: ownId, code: fc.nat(9) }),
  fc.record({
    verb: fc.constant('resetAt' as const),
    id: ownId,
    code: fc.nat(9),
    length: fc.constantFrom(1, 50, 1000, 5000),
  }),
  fc.record({
    verb: fc.constant('setPriority' as const),
    id: ownId,
    urgency: fc.nat(7),
    isIncremental: fc.boolean(),
  }),
  fc.record({ verb: fc.constant('sendDatagram' as const), length: fc.nat(DATAGRAM + 500) }),
  fc.record({
    verb: fc.constantFrom(
      'updateKeys' as const,
      'updateKeys' as const,
      'migrate' as const,
      'migrate' as const,
      'close' as const,
    ),
  }),
)

const step: Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: packet },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('ack' as const), which: fc.constantFrom('all', 'newest', 'alternate') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 30, 30, 400, 400, 400, 9000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('speak' as const), level: fc.constantFrom(Level.Initial, Level.Handshake) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'updateKeys' }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('act' as const), act }) },
)

export const scripts: Arbitrary<Script> = fc.record({
  role: fc.constantFrom('client', 'server'),
  stage: fc.constantFrom<Stage[]>(
    'initial',
    'handshake',
    'complete',
    'confirmed',
    'confirmed',
    'confirmed',
    'confirmed',
  ),
  isEarly: fc.constantFrom(true, false, false),
  hasExtensions: fc.constantFrom(true, true, true, true, true, false),
  idLength: fc.constantFrom(8, 8, 8, 8, 0),
  seed: fc.noShrink(fc.nat()),
  steps: fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
})
