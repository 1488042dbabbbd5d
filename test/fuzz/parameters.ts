// Transport parameters by chance (RFC 9000 §18): a legal blob with parameters changed, repeated, cut and made up.

import fc, { type Arbitrary } from 'fast-check'
import { bytes, concat, parameter } from '../conformance/bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, type PeerOptions } from '../conformance/hand-made-peer.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import { fastBackend } from '../sim/fast-backend.ts'
import { check, isKnownCode } from './promises.ts'

export interface ParametersScript {
  readonly role: 'client' | 'server'
  readonly seed: number
  /** Behind those of an honest peer. */
  readonly more: readonly Uint8Array[]
  /** Bytes changed. */
  readonly changes: readonly { readonly at: number; readonly value: number }[]
  /** How much is left of it; 1: all. */
  readonly part: number
}

const edge = fc.constantFrom<number | bigint>(
  0,
  1,
  2,
  3,
  20,
  21,
  1199,
  1200,
  65_527,
  65_528,
  2 ** 14,
  2 ** 30,
  2n ** 53n,
  2n ** 60n + 1n,
  2n ** 62n - 1n,
)

/** All that are registered, some of them unknown, and those reserved to be unknown. */
const id = fc.oneof(
  { weight: 8, arbitrary: fc.nat(0x11) as Arbitrary<number | bigint> },
  {
    weight: 2,
    arbitrary: fc.constantFrom<number | bigint>(0x20, 0x17f7586d2cb571n, 0xff04de1bn, 27, 58, 2n ** 62n - 1n),
  },
)

const one = fc.oneof(
  fc.tuple(id, edge).map(([id, value]) => bytes(id, bytes(value).length, value)),
  fc.tuple(id, fc.nat(70)).map(([id, length]) => bytes(id, length, new Uint8Array(length))),
  fc.tuple(id, edge, fc.nat(8)).map(([id, length, rest]) => bytes(id, length, new Uint8Array(rest))),
  fc.constant(parameter(0x0d, new Uint8Array(41))),
)

export const parameterScripts: Arbitrary<ParametersScript> = fc.record({
  role: fc.constantFrom('client', 'server'),
  seed: fc.noShrink(fc.nat()),
  more: fc.array(one, { maxLength: 3 }),
  changes: fc.array(fc.record({ at: fc.nat(120), value: fc.nat(255) }), { maxLength: 3 }),
  part: fc.oneof(
    { weight: 5, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
  ),
})

/** Plays a handshake with them. Returns the code it was closed with; -1: it went on. */
export function declare({ role, seed, more, changes, part }: ParametersScript): number {
  const random = seededRandom(seed)
  const options: PeerOptions = {
    backend: fastBackend(length => randomBytes(random, length), false),
    rawParameters: encoded => {
      const changed = concat(encoded, ...more)
      for (const { at, value } of changes) if (at < changed.length) changed[at] = value
      return changed.subarray(0, Math.ceil(part * changed.length))
    },
  }
  const peer = role === 'client' ? new HandMadeServer(options) : new HandMadeClient(options)
  peer.isForgiving = true
  peer.reach('confirmed')
  // What was declared is used: streams, data, DATAGRAM frames, time.
  peer.act(connection => {
    const stream = connection.openStream('bidi')
    if (stream !== undefined) connection.write(stream, new Uint8Array(3000), true)
    connection.sendDatagram(new Uint8Array(100))
  })
  peer.pass(1000)
  const closed = peer.events.find(event => event.type === 'closed')
  peer.pass(1_000_000)
  check(peer.connection.isTerminated, 'still there after a quarter of an hour of silence')
  if (closed?.type !== 'closed' || closed.by !== 'local') return -1
  check(isKnownCode(closed.errorCode), `closed with ${closed.errorCode}: ${(closed.error?.cause as Error)?.stack}`)
  return closed.errorCode
}
