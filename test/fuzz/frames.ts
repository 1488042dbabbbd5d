// Frames of all kinds by chance: legal ones, those at the edges of what is legal, and wrong ones (RFC 9000 §19, RFC 9221,
// QUIC Acknowledgment Frequency). As parts, so that a counterexample can be read.

import fc, { type Arbitrary } from 'fast-check'
import { fromHex } from '../../src/bytes/hex.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'

/** What only the connection under test knows. */
export interface Relative {
  /**
   * The largest packet number it has sent at the level; the next offset of the CRYPTO stream to it; the data of its last
   * PATH_CHALLENGE; those of its streams that have a receiving part, and a sending part.
   */
  readonly of: 'sent' | 'crypto' | 'challenge' | 'receiving' | 'sending'
  readonly plus: number
}

/** A number is a varint in its shortest form, a bigint one of 8 bytes, bytes are themselves. */
export type FramePart = number | bigint | Uint8Array | Relative

export interface FrameScript {
  readonly name: string
  readonly parts: readonly FramePart[]
}

/** What the connections under test allow their peers. */
export const WINDOW = 16_000
export const STREAM_WINDOW = 1500
export const STREAMS = 4
export const DATAGRAM = 1000

type Part = Arbitrary<FramePart>

/** Where varints change their length, where numbers stop being exact, where they end. */
const edge: Part = fc.constantFrom<FramePart>(
  0,
  1,
  63,
  64,
  16_383,
  16_384,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 53 - 1,
  2n ** 53n,
  2n ** 60n,
  2n ** 60n + 1n,
  2n ** 62n - 1n,
)

/** Small ones, now and then in 8 bytes, and edges. */
function around(...usual: readonly number[]): Part {
  return fc.oneof(
    { weight: 120, arbitrary: fc.constantFrom(...usual) as Part },
    { weight: 8, arbitrary: fc.constantFrom(...usual).map(BigInt) as Part },
    { weight: 1, arbitrary: edge },
  )
}

function often(value: number, times: number): number[] {
  return new Array<number>(times).fill(value)
}

function zeros(max: number): Arbitrary<Uint8Array> {
  return fc.nat(max).map(length => new Uint8Array(length))
}

/** Most often as it should be; else a little off, or an edge. */
function lying(length: number): Part {
  return fc.oneof(
    { weight: 120, arbitrary: fc.constant<FramePart>(length) },
    { weight: 1, arbitrary: fc.constantFrom<FramePart>(length + 1, Math.max(0, length - 1), 21, 2n ** 62n - 1n) },
  )
}

/** A length and so many bytes, or not quite. */
function counted(bytes: Arbitrary<Uint8Array>): Arbitrary<FramePart[]> {
  return bytes.chain(content => lying(content.length).map(length => [length, content]))
}

/** Streams that frames may be about, now and then one just beyond, or of the wrong kind. */
function id(of: 'receiving' | 'sending'): Part {
  return fc.oneof(
    { weight: 200, arbitrary: fc.nat(3 * STREAMS - 1).map(plus => ({ of, plus })) },
    { weight: 1, arbitrary: fc.nat(4 * STREAMS + 3) as Part },
    { weight: 1, arbitrary: edge },
  )
}
/** A few offsets, so that they meet; the window's end is rare, because it ends most scripts. */
const size = fc.oneof(
  { weight: 60, arbitrary: around(0, 1, 5, 20, 21, 40, 100, 1000) },
  { weight: 1, arbitrary: fc.constantFrom<FramePart>(STREAM_WINDOW - 1, STREAM_WINDOW, STREAM_WINDOW + 1, WINDOW) },
)
/** Far behind all data: a reset that takes nothing back. */
const finalSize = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom<FramePart>(1200, 1200, 1300) },
  { weight: 1, arbitrary: size },
)
const limit = around(0, 1, 3, 4, 5, 100, 10_000, 20_001, 100_000, 1_000_000)
const code = around(0, 1, 7, 256)
const sequence = around(...often(1, 5), ...often(2, 5), ...often(3, 5), ...often(4, 5), 0)

function frame(name: string, ...parts: readonly Part[]): Arbitrary<FrameScript> {
  return fc.tuple(...parts).map(some => ({ name, parts: some }))
}

function is(type: number): Part {
  return fc.constant<FramePart>(type)
}

const ack: Arbitrary<FrameScript> = fc
  .record({
    largest: fc.oneof(
      { weight: 240, arbitrary: fc.nat(4).map((n): FramePart => ({ of: 'sent', plus: -n })) },
      { weight: 1, arbitrary: fc.constantFrom(1, 2, 1000, -100).map((plus): FramePart => ({ of: 'sent', plus })) },
      { weight: 1, arbitrary: edge },
    ),
    delay: around(0, 1, 8, 1000, 100_000),
    first: around(...often(0, 40), 1, 2),
    ranges: fc.oneof(
      { weight: 30, arbitrary: fc.constant<[FramePart, FramePart][]>([]) },
      { weight: 1, arbitrary: fc.array(fc.tuple(around(0, 1, 2), around(0, 0, 1)), { maxLength: 3, size: 'max' }) },
    ),
    ecn: fc.option(fc.tuple(limit, limit, limit), { freq: 4 }),
    lie: fc.oneof({ weight: 120, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 1000, -1) }),
  })
  .map(({ largest, delay, first, ranges, ecn, lie }) => ({
    name: 'ACK',
    parts: [
      ecn === null ? FrameType.Ack : FrameType.Ack + 1,
      largest,
      delay,
      Math.max(0, ranges.length + lie),
      first,
      ...ranges.flat(),
      ...(ecn ?? []),
    ],
  }))

/** A handshake message of any type, with a length that fits, or not. */
const message = fc
  .tuple(fc.constantFrom(1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 254), fc.nat(60), fc.constantFrom(0, 0, 0, 1, 60_000))
  .map(([type, length, more]) => {
    const content = new Uint8Array(4 + length)
    content[0] = type
    content[2] = (length + more) >>> 8
    content[3] = length + more
    return content
  })

/** NewSessionTicket (RFC 8446 §4.6.1): lifetime, age_add, nonce, ticket, no extensions. */
const ticket = fc.constantFrom(
  fromHex('04000013 00000e10 01020304 01aa 0005 0102030405 0000'),
  fromHex('04000013 00000e10 01020304 01aa 0005 0102030405 0001'),
)

const crypto = fc
  .tuple(
    fc.oneof(
      { weight: 60, arbitrary: fc.integer({ min: -60, max: 0 }).map((plus): FramePart => ({ of: 'crypto', plus })) },
      { weight: 40, arbitrary: fc.integer({ min: 1, max: 3000 }).map((plus): FramePart => ({ of: 'crypto', plus })) },
      { weight: 1, arbitrary: around(16_000, 16_384, 65_536, 2 ** 31) },
      { weight: 1, arbitrary: edge },
    ),
    counted(fc.oneof({ weight: 3, arbitrary: zeros(60) }, { weight: 1, arbitrary: message })),
  )
  .map(([offset, data]): FrameScript => ({ name: 'CRYPTO', parts: [FrameType.Crypto, offset, ...data] }))

/** The one thing a server may say in CRYPTO frames once the handshake is over. */
const ticketFrame = ticket.map(
  (bytes): FrameScript => ({
    name: 'CRYPTO',
    parts: [FrameType.Crypto, { of: 'crypto', plus: 0 }, bytes.length, bytes],
  }),
)

/** With the flags that go with its parts. Without a length it reaches to the end of the packet. */
const stream = fc
  .record({
    id: id('receiving'),
    offset: fc.option(size, { freq: 3 }),
    data: counted(zeros(60)),
    hasLength: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    fin: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(
    ({ id, offset, data, hasLength, fin }): FrameScript => ({
      name: 'STREAM',
      parts: [
        FrameType.Stream + (offset === null ? 0 : 4) + (hasLength ? 2 : 0) + (fin ? 1 : 0),
        id,
        ...(offset === null ? [] : [offset]),
        ...(hasLength ? data : data.slice(1)),
      ],
    }),
  )

/** Ids follow from their sequence numbers: to repeat one is legal. Now and then one does not. The peer reads 8 bytes. */
const newConnectionId = fc
  .record({
    sequence,
    retirePriorTo: around(0, 0, 0, 0, 0, 0, 0, 1),
    length: fc.oneof({ weight: 100, arbitrary: fc.constant(8) }, { weight: 1, arbitrary: fc.constantFrom(0, 21) }),
    salt: fc.oneof({ weight: 60, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    tokenLength: fc.oneof({ weight: 100, arbitrary: fc.constant(16) }, { weight: 1, arbitrary: fc.constant(15) }),
  })
  .map(
    ({ sequence, retirePriorTo, length, salt, tokenLength }): FrameScript => ({
      name: 'NEW_CONNECTION_ID',
      parts: [
        FrameType.NewConnectionId,
        sequence,
        retirePriorTo,
        Uint8Array.of(length),
        new Uint8Array(length).fill(Number(sequence) + 100 * salt),
        new Uint8Array(tokenLength).fill(Number(sequence)),
      ],
    }),
  )

const pathResponse = fc
  .constantFrom<FramePart>({ of: 'challenge', plus: 0 }, { of: 'challenge', plus: 1 }, new Uint8Array(8))
  .map((data): FrameScript => ({ name: 'PATH_RESPONSE', parts: [FrameType.PathResponse, data] }))

const close = fc.oneof(
  counted(zeros(20)).chain(reason =>
    frame('CONNECTION_CLOSE', is(FrameType.ConnectionClose), code, around(0, 6, 8), ...reason.map(r => fc.constant(r))),
  ),
  counted(zeros(20)).chain(reason =>
    frame('APPLICATION_CLOSE', is(FrameType.ApplicationClose), code, ...reason.map(r => fc.constant(r))),
  ),
)

const datagram = counted(
  fc.oneof({ weight: 60, arbitrary: zeros(100) }, { weight: 1, arbitrary: zeros(DATAGRAM + 20) }),
).chain(data =>
  fc.boolean().map(
    (hasLength): FrameScript => ({
      name: 'DATAGRAM',
      parts: hasLength ? [FrameType.Datagram + 1, ...data] : [FrameType.Datagram, ...data.slice(1)],
    }),
  ),
)

const newToken = counted(zeros(40)).map(
  (token): FrameScript => ({ name: 'NEW_TOKEN', parts: [FrameType.NewToken, ...token] }),
)

/** Unknown types, known ones in a longer form, and what was reserved to keep them unknown. */
const unknown = fc
  .constantFrom<FramePart>(0x20, 0x21, 0x2f, 0x32, 0x40, 0xae, 0xb0, 1n, 8n, 0xafn, 2n ** 60n, 2n ** 62n - 1n)
  .map((type): FrameScript => ({ name: 'unknown', parts: [type, new Uint8Array(4)] }))

const anyFrame: Arbitrary<FrameScript> = fc.oneof(
  { weight: 120, arbitrary: ack },
  { weight: 200, arbitrary: stream },
  { weight: 10, arbitrary: crypto },
  { weight: 3, arbitrary: ticketFrame },
  { weight: 50, arbitrary: frame('RESET_STREAM', is(FrameType.ResetStream), id('receiving'), code, finalSize) },
  {
    weight: 50,
    arbitrary: frame(
      'RESET_STREAM_AT',
      is(FrameType.ResetStreamAt),
      id('receiving'),
      around(...often(7, 20), 8),
      finalSize,
      around(0, 1, 20, 100, 1200),
    ),
  },
  { weight: 50, arbitrary: frame('STOP_SENDING', is(FrameType.StopSending), id('sending'), code) },
  { weight: 30, arbitrary: frame('MAX_DATA', is(FrameType.MaxData), limit) },
  { weight: 30, arbitrary: frame('MAX_STREAM_DATA', is(FrameType.MaxStreamData), id('sending'), limit) },
  { weight: 20, arbitrary: frame('MAX_STREAMS', fc.constantFrom<FramePart>(0x12, 0x13), limit) },
  { weight: 20, arbitrary: frame('DATA_BLOCKED', is(FrameType.DataBlocked), limit) },
  { weight: 20, arbitrary: frame('STREAM_DATA_BLOCKED', is(FrameType.StreamDataBlocked), id('receiving'), limit) },
  { weight: 20, arbitrary: frame('STREAMS_BLOCKED', fc.constantFrom<FramePart>(0x16, 0x17), limit) },
  { weight: 60, arbitrary: newConnectionId },
  {
    weight: 40,
    arbitrary: frame(
      'RETIRE_CONNECTION_ID',
      is(FrameType.RetireConnectionId),
      around(...often(1, 10), ...often(2, 10), 0, 3),
    ),
  },
  { weight: 30, arbitrary: frame('PATH_CHALLENGE', is(FrameType.PathChallenge), fc.constant(new Uint8Array(8))) },
  { weight: 30, arbitrary: pathResponse },
  { weight: 40, arbitrary: frame('PADDING', zeros(30)) },
  { weight: 40, arbitrary: frame('PING', is(FrameType.Ping)) },
  { weight: 30, arbitrary: datagram },
  {
    weight: 30,
    arbitrary: frame(
      'ACK_FREQUENCY',
      is(0xaf),
      sequence,
      around(0, 1, 10),
      around(...often(1000, 20), 2 ** 14, 999),
      around(0, 1, 3),
    ),
  },
  { weight: 30, arbitrary: frame('IMMEDIATE_ACK', is(FrameType.ImmediateAck)) },
  { weight: 2, arbitrary: frame('HANDSHAKE_DONE', is(FrameType.HandshakeDone)) },
  { weight: 2, arbitrary: newToken },
  { weight: 2, arbitrary: close },
  { weight: 2, arbitrary: unknown },
)

/** Where each may stand is Table 3 of RFC 9000 §12.4; now and then one stands elsewhere. */
const handshakeFrame: Arbitrary<FrameScript> = fc.oneof(
  { weight: 40, arbitrary: crypto },
  { weight: 40, arbitrary: ack },
  { weight: 20, arbitrary: frame('PING', is(FrameType.Ping)) },
  { weight: 20, arbitrary: frame('PADDING', zeros(30)) },
  { weight: 1, arbitrary: anyFrame },
)

const notEarly = ['ACK', 'CRYPTO', 'PATH_RESPONSE', 'HANDSHAKE_DONE', 'NEW_TOKEN', 'ACK_FREQUENCY', 'IMMEDIATE_ACK']
const earlyFrame = fc.oneof(
  { weight: 100, arbitrary: anyFrame.filter(({ name }) => !notEarly.includes(name)) },
  { weight: 1, arbitrary: anyFrame },
)

/** By `Level`: Initial, 0-RTT, Handshake, 1-RTT. */
export const framesAt: readonly Arbitrary<FrameScript>[] = [handshakeFrame, earlyFrame, handshakeFrame, anyFrame]
