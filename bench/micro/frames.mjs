// Varints, every frame, ACK ranges.

import { deepEqual, equal } from 'node:assert/strict'
import { RangeSet } from '../../dist/bytes/range-set.js'
import { Reader } from '../../dist/bytes/reader.js'
import { Writer } from '../../dist/bytes/writer.js'
import { ackSize, writeAck } from '../../dist/packet/frames/ack.js'
import { writeAckFrequency } from '../../dist/packet/frames/ack-frequency.js'
import { writeApplicationClose, writeConnectionClose } from '../../dist/packet/frames/close.js'
import { writeNewConnectionId, writeRetireConnectionId } from '../../dist/packet/frames/connection-id.js'
import { writeCryptoHeader } from '../../dist/packet/frames/crypto.js'
import { writeDatagram } from '../../dist/packet/frames/datagram.js'
import * as credit from '../../dist/packet/frames/flow-control.js'
import { writePathChallenge, writePathResponse } from '../../dist/packet/frames/path.js'
import { readFrame } from '../../dist/packet/frames/read-frame.js'
import * as signal from '../../dist/packet/frames/signal.js'
import { writeStream } from '../../dist/packet/frames/stream.js'
import * as control from '../../dist/packet/frames/stream-control.js'
import { writeNewToken } from '../../dist/packet/frames/token.js'
import { Level } from '../../dist/packet/level.js'

const data = new Uint8Array(1000).fill(7)
const eight = data.subarray(0, 8)
const token = data.subarray(0, 16)

const ranges = spread(1)
const gaps = spread(32)

const frames = {
  PADDING: w => signal.writePadding(w, 100),
  PING: w => signal.writePing(w),
  'ACK, 1 range': w => writeAck(w, ranges, 20, 32),
  'ACK, 32 ranges': w => writeAck(w, gaps, 20, 32),
  RESET_STREAM: w => control.writeResetStream(w, 4, 256, 100_000),
  RESET_STREAM_AT: w => control.writeResetStreamAt(w, 4, 256, 100_000, 1000),
  STOP_SENDING: w => control.writeStopSending(w, 4, 256),
  CRYPTO: w => {
    writeCryptoHeader(w, 1000, data.length)
    w.put(data)
  },
  NEW_TOKEN: w => writeNewToken(w, token),
  STREAM: w => writeStream(w, 4, 100_000, data, false),
  MAX_DATA: w => credit.writeMaxData(w, 1_000_000),
  MAX_STREAM_DATA: w => credit.writeMaxStreamData(w, 4, 1_000_000),
  MAX_STREAMS: w => credit.writeMaxStreams(w, true, 100),
  DATA_BLOCKED: w => credit.writeDataBlocked(w, 1_000_000),
  STREAM_DATA_BLOCKED: w => credit.writeStreamDataBlocked(w, 4, 1_000_000),
  STREAMS_BLOCKED: w => credit.writeStreamsBlocked(w, true, 100),
  NEW_CONNECTION_ID: w => writeNewConnectionId(w, 3, 1, eight, token),
  RETIRE_CONNECTION_ID: w => writeRetireConnectionId(w, 2),
  PATH_CHALLENGE: w => writePathChallenge(w, eight),
  PATH_RESPONSE: w => writePathResponse(w, eight),
  'CONNECTION_CLOSE, transport': w => writeConnectionClose(w, 10, 6, 'a reason'),
  'CONNECTION_CLOSE, application': w => writeApplicationClose(w, 256, 'a reason'),
  HANDSHAKE_DONE: w => signal.writeHandshakeDone(w),
  DATAGRAM: w => writeDatagram(w, data),
  ACK_FREQUENCY: w => writeAckFrequency(w, 1, 10, 25_000, 3),
  IMMEDIATE_ACK: w => signal.writeImmediateAck(w),
}

export function subjects() {
  return [...varints(), ...ackRanges(), ...Object.entries(frames).flatMap(([name, write]) => frame(name, write))]
}

function frame(name, write) {
  const memory = new Uint8Array(1500)
  const written = new Writer(memory)
  write(written)
  const bytes = written.finish().slice()
  const read = () => readFrame(new Reader(bytes), Level.OneRtt)
  return [
    {
      name: `write ${name}`,
      run() {
        const w = new Writer(memory)
        write(w)
        return w.pos
      },
      check: () => equal(written.pos, bytes.length),
    },
    {
      name: `read ${name}`,
      run: read,
      check() {
        const reader = new Reader(bytes)
        deepEqual(readFrame(reader, Level.OneRtt), read())
        equal(reader.remaining, 0)
      },
    },
  ]
}

function varints() {
  const values = [37, 15_293, 494_878_333, 151_288_809_941_952]
  const memory = new Uint8Array(20)
  const write = () => {
    const w = new Writer(memory)
    for (const value of values) w.varint(value)
    return w.pos
  }
  write()
  const read = () => {
    const r = new Reader(memory, 0, 15)
    return r.varint() + r.varint() + r.varint() + r.varint()
  }
  const sum = values.reduce((total, value) => total + value)
  return [
    { name: 'four varints written', run: write, check: () => equal(write(), 15) },
    { name: 'four varints read', run: read, check: () => equal(read(), sum) },
  ]
}

function ackRanges() {
  let next = 0
  const growing = new RangeSet()
  return [
    {
      name: 'ranges: the next number',
      run() {
        growing.add(next, next + 1)
        next++
      },
      check() {
        growing.add(0, 1)
        next = 1
        equal(growing.count, 1)
      },
    },
    {
      name: 'ranges: 32 gaps filled from behind',
      run: () => spread(32, -1).count,
      check: () => equal(spread(32, -1).count, 32),
    },
    {
      name: 'ACK size, 32 ranges',
      run: () => ackSize(gaps, 20, 32),
      check: () => equal(ackSize(gaps, 20, 32) > 64, true),
    },
  ]
}

/** Every third number missing. */
function spread(count, direction = 1) {
  const set = new RangeSet()
  for (let i = 0; i < count; i++) {
    const at = 1000 + 3 * direction * i
    set.add(at, at + 2)
  }
  return set
}
