// Every frame there is, by the ten thousand, under the right keys: what is legal costs no memory that lasts, and is not
// answered by more than it is; what is not ends the connection.

import { queryObjects } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { writeAckFrequency } from '../../src/packet/frames/ack-frequency.ts'
import { writeNewConnectionId, writeRetireConnectionId } from '../../src/packet/frames/connection-id.ts'
import { writeCryptoHeader } from '../../src/packet/frames/crypto.ts'
import { writeDatagram } from '../../src/packet/frames/datagram.ts'
import {
  writeDataBlocked,
  writeMaxData,
  writeMaxStreamData,
  writeMaxStreams,
  writeStreamDataBlocked,
  writeStreamsBlocked,
} from '../../src/packet/frames/flow-control.ts'
import { writePathChallenge, writePathResponse } from '../../src/packet/frames/path.ts'
import { writeHandshakeDone, writeImmediateAck, writePadding, writePing } from '../../src/packet/frames/signal.ts'
import { writeStream } from '../../src/packet/frames/stream.ts'
import { writeResetStream, writeStopSending } from '../../src/packet/frames/stream-control.ts'
import { writeNewToken } from '../../src/packet/frames/token.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { NoRecorder } from '../../src/qlog/recorder.ts'
import { OpenPair, type Side } from '../connection/support.ts'
import type { Host } from '../sim/host.ts'

const PACKETS = 60
const none = new Uint8Array(0)
/** Eight bytes that are never the same. */
const data = (n: number): Uint8Array => Uint8Array.from({ length: 8 }, (_, i) => (i < 4 ? 7 : n >> (8 * (i - 4))))
/** The id of a stream of the client, out of those it may open. */
const stream = (n: number): number => 4 * (n % 100)

type Flood = readonly [name: string, write: (w: Writer, n: number) => void]

const floods: readonly Flood[] = [
  ['PADDING', w => writePadding(w, 10)],
  ['PING', w => writePing(w)],
  ['ACK of the same', w => w.put(Uint8Array.of(0x02, 0, 0, 0, 0))],
  ['PATH_CHALLENGE', (w, n) => writePathChallenge(w, data(n))],
  ['PATH_RESPONSE', (w, n) => writePathResponse(w, data(n))],
  ['MAX_DATA', (w, n) => writeMaxData(w, 10_000_000 + n)],
  ['MAX_STREAM_DATA', (w, n) => writeMaxStreamData(w, stream(n), 10_000_000 + n)],
  ['MAX_STREAMS', (w, n) => writeMaxStreams(w, n % 2 === 0, 10_000 + n)],
  ['DATA_BLOCKED', (w, n) => writeDataBlocked(w, n)],
  ['STREAM_DATA_BLOCKED', (w, n) => writeStreamDataBlocked(w, stream(n), n)],
  ['STREAMS_BLOCKED', (w, n) => writeStreamsBlocked(w, n % 2 === 0, n)],
  ['STREAM without data', (w, n) => writeStream(w, stream(n), 0, none, false)],
  ['STREAM, the same byte', (w, n) => writeStream(w, stream(n), 0, Uint8Array.of(1), false)],
  ['STREAM, the same end', (w, n) => writeStream(w, stream(n), 1, none, true)],
  ['RESET_STREAM', (w, n) => writeResetStream(w, stream(n), 7, 1)],
  ['STOP_SENDING', (w, n) => writeStopSending(w, stream(n), n)],
  ['NEW_CONNECTION_ID, the same', w => writeNewConnectionId(w, 10, 10, data(10), new Uint8Array(16))],
  ['RETIRE_CONNECTION_ID, the same', w => writeRetireConnectionId(w, 1)],
  ['DATAGRAM', (w, n) => writeDatagram(w, data(n))],
  ['IMMEDIATE_ACK', w => writeImmediateAck(w)],
  ['ACK_FREQUENCY', (w, n) => writeAckFrequency(w, n, n % 2, 1000 + (n % 1000), n % 3)],
]

const ofServer: readonly Flood[] = [
  ['HANDSHAKE_DONE', w => writeHandshakeDone(w)],
  ['NEW_TOKEN', (w, n) => writeNewToken(w, data(n))],
]

const ending: readonly [name: string, code: number, write: Flood[1]][] = [
  [
    'NEW_CONNECTION_ID, each retiring those before',
    ErrorCode.ConnectionIdLimitError,
    (w, n) => writeNewConnectionId(w, n + 11, n + 11, data(n), token(n)),
  ],
  ['CRYPTO, every other byte', ErrorCode.CryptoBufferExceeded, (w, n) => writeCrypto(w, 1000 + 2 * n)],
  ['STREAM, every other byte', ErrorCode.InternalError, (w, n) => writeStream(w, 0, 2 * n, Uint8Array.of(1), false)],
]

describe.each(['client', 'server'] as const)('a %s that floods', side => {
  test('every frame that is legal: nothing is kept, no more is answered, the connection goes on', () => {
    const flooded = new Flooded(side)
    const all = side === 'server' ? [...floods.filter(isBoth), ...ofServer] : floods
    const sendAll = (packets: number): void => {
      for (const [name, write] of all) {
        flooded.send(packets, write)
        expect(flooded.errorCode, name).toBe(-1)
      }
    }
    sendAll(PACKETS / 3)
    const before = queryObjects(Object, { format: 'count' })
    const { frames } = flooded
    const answered = flooded.host.sentBytes
    sendAll(PACKETS)
    expect(flooded.frames - frames).toBeGreaterThan(50 * PACKETS * all.length)
    // Tables that have a bound may still fill, by packets and not by frames.
    expect(queryObjects(Object, { format: 'count' }) - before).toBeLessThan(1000)
    expect(flooded.host.sentBytes - answered).toBeLessThan(PACKETS * all.length * 1200)
  }, 120_000)

  test.each(side === 'server' ? ending.slice(0, 2) : ending)('%s: the connection ends', (_, code, write) => {
    const flooded = new Flooded(side)
    flooded.send(PACKETS, write)
    expect(flooded.errorCode).toBe(code)
  })
})

/** A connection whose other end is silent, but for what is put into its mouth. */
class Flooded {
  readonly host: Host
  /** Sent so far. */
  frames = 0
  /** What the connection closed with; -1: it is open. */
  errorCode = -1
  readonly #pair: OpenPair
  readonly #side: Side

  constructor(side: Side) {
    const transport = { maxDatagramFrameSize: 1000, maxIdleTimeout: 0 }
    this.#pair = new OpenPair({ recorder: () => NoRecorder, client: { transport }, server: { transport } }).connect()
    this.#side = side
    this.host = side === 'client' ? this.#pair.server : this.#pair.client
    this.#pair.world.pass(100)
    if (side === 'server') for (let i = 0; i < 100; i++) this.host.connection.openStream('bidi')
    this.#pair[side].filter = () => undefined
    for (const host of [this.#pair.client, this.#pair.server]) host.keepsRecords = false
    this.host.onEvent = event => {
      if (event.type === 'closed') this.errorCode = event.errorCode
    }
  }

  /** Packets full of one kind of frame, a millisecond apart. */
  send(packets: number, write: (w: Writer, n: number) => void): void {
    for (let i = 0; i < packets && this.errorCode < 0; i++) {
      const writer = Writer.allocate(1200)
      while (writer.pos < 1100) write(writer, this.frames++)
      this.#pair.inject(this.#side, Level.OneRtt, writer.finish().slice())
      this.#pair.world.pass(1)
    }
  }
}

/** Streams are the client's, and a server has no word in how it limits itself. */
function isBoth([name]: Flood): boolean {
  return !name.startsWith('STREAM,')
}

function writeCrypto(w: Writer, offset: number): void {
  writeCryptoHeader(w, offset, 1)
  w.u8(1)
}

function token(n: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => n >> (i % 24))
}
