import { describe, expect, test } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { readAck } from '../../src/packet/frames/ack.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level, Space } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import { SentFrame, SentKind } from '../../src/packet/sent-frame.ts'
import { ACKS_PER_PING, MAX_ACK_RANGES, ReceivedPackets } from '../../src/recovery/received-packets.ts'
import { seeded } from './support.ts'

const packet = (size = 1200) => new PacketWriter(Level.OneRtt, new Uint8Array(size), 0, size)

/** What `write` put into an empty packet; undefined for nothing. */
function written(received: ReceivedPackets, now: number, isSentAnyway?: boolean) {
  const w = packet()
  received.write(w, now, isSentAnyway)
  if (w.pos === 0) return undefined
  const reader = new Reader(w.bytes, 0, w.pos)
  const frame = readAck(reader, reader.u8())
  return {
    ...frame,
    packet: w,
    record: w.frames[0] as SentFrame,
    hasPing: !reader.isDone && reader.u8() === FrameType.Ping,
  }
}

function application(...numbers: number[]): ReceivedPackets {
  const received = new ReceivedPackets(Space.Application)
  for (const number of numbers) received.onReceived(number, true, 1000)
  return received
}

describe('RFC 9000 §13.2.1: sending ACK frames', () => {
  test('nothing received, nothing due', () => {
    const received = new ReceivedPackets(Space.Application)
    expect(received).toMatchObject({ ackDeadline: Number.POSITIVE_INFINITY, largest: -1, hasUnacknowledged: false })
    expect(written(received, 1000, true)).toBeUndefined()
  })

  test('one ack-eliciting packet is acknowledged within max_ack_delay', () => {
    const received = application(0)
    expect(received.ackDeadline).toBe(1025)
    expect(received.isAckDue(1024)).toBe(false)
    expect(written(received, 1024)).toBeUndefined()
    expect(received.isAckDue(1025)).toBe(true)
    expect(written(received, 1025)?.ranges).toEqual([0, 0])
    expect(received.ackDeadline).toBe(Number.POSITIVE_INFINITY)
    expect(written(received, 1026)).toBeUndefined()
  })

  test('max_ack_delay as announced', () => {
    const received = new ReceivedPackets(Space.Application, { maxAckDelay: 5 })
    received.onReceived(0, true, 1000)
    expect(received.ackDeadline).toBe(1005)
  })

  test('the deadline is that of the first packet', () => {
    const received = application(0)
    received.onReceived(1, false, 1020)
    expect(received.ackDeadline).toBe(1025)
  })

  test.each([Space.Initial, Space.Handshake])('Initial and Handshake at once: space %i', space => {
    const received = new ReceivedPackets(space)
    received.onReceived(0, true, 1000)
    expect(received.ackDeadline).toBe(1000)
    expect(received.isAckDue(1000)).toBe(true)
  })

  test.each([Space.Initial, Space.Application])('what is not ack-eliciting causes no ACK: space %i', space => {
    const received = new ReceivedPackets(space)
    for (const number of [0, 1, 5, 3]) received.onReceived(number, false, 1000)
    expect(received.ackDeadline).toBe(Number.POSITIVE_INFINITY)
    expect(written(received, 9999, true)).toBeUndefined()
  })

  test('but is acknowledged with the rest', () => {
    const received = application(0)
    received.onReceived(1, false, 1001)
    expect(written(received, 1025)?.ranges).toEqual([1, 0])
  })

  test('at once for a packet below another ack-eliciting one', () => {
    const received = application(0, 2)
    written(received, 1000)
    received.onReceived(1, true, 1010)
    expect(received.ackDeadline).toBe(1010)
  })

  test('at once when packets are missing before it', () => {
    const received = application(0)
    received.onReceived(2, true, 1001)
    expect(received.ackDeadline).toBe(1001)
  })

  test('also when the very first are missing', () => {
    expect(application(3).ackDeadline).toBe(1000)
  })

  test('not for a gap that is known already', () => {
    const received = application(0, 2)
    written(received, 1000)
    received.onReceived(3, true, 1010)
    expect(received.ackDeadline).toBe(1035)
  })

  test('not when what lies between is not ack-eliciting', () => {
    const received = application(0)
    written(received, 1025)
    received.onReceived(1, false, 1030)
    received.onReceived(2, true, 1030)
    expect(received.ackDeadline).toBe(1055)
  })

  test('nor when larger ones are not ack-eliciting', () => {
    const received = application(0)
    written(received, 1025)
    received.onReceived(5, false, 1030)
    received.onReceived(1, true, 1031)
    expect(received.ackDeadline).toBe(1056)
    written(received, 1056)
    received.onReceived(3, true, 1060)
    expect(received.ackDeadline).toBe(1060)
  })

  test('nor after the ranges below were dropped', () => {
    const received = application(0, 1)
    received.onAcked((written(received, 1000) as { record: SentFrame }).record)
    received.onReceived(2, true, 1010)
    expect(received.ackDeadline).toBe(1035)
  })

  test('with other frames earlier than it is due', () => {
    const received = application(0)
    const w = packet()
    received.write(w, 1001)
    expect(w.pos).toBe(0)
    w.u8(FrameType.Ping)
    w.record(new SentFrame(SentKind.Ping))
    received.write(w, 1001)
    expect(w.frames.map(frame => frame.kind)).toEqual([SentKind.Ping, SentKind.Ack])
    expect(received.hasUnacknowledged).toBe(false)
  })

  test('and ahead of them, when it is known that they will follow', () => {
    const received = application(0)
    expect(received.hasUnacknowledged).toBe(true)
    expect(written(received, 1001, true)?.ranges).toEqual([0, 0])
  })

  test('what may not have been heard goes into the next packet that is sent anyway', () => {
    const received = application(0, 1)
    const told = written(received, 1000)?.record as SentFrame
    expect(written(received, 1001, true)).toBeUndefined()
    received.onLost()
    expect(received.ackDeadline).toBe(Number.POSITIVE_INFINITY)
    expect(written(received, 1002, true)?.ranges).toEqual([1, 0])
    expect(written(received, 1003, true)).toBeUndefined()
    // Nothing that the peer does not know.
    received.onAcked(told)
    received.repeat()
    expect(written(received, 1004, true)).toBeUndefined()
  })

  test('an ACK alone does not make a packet ack-eliciting', () => {
    const received = application(0)
    expect(written(received, 1025)?.packet.isAckEliciting).toBe(false)
  })
})

describe('RFC 9000 §13.2.2: acknowledgment frequency', () => {
  test('every second ack-eliciting packet at once', () => {
    const received = application(0)
    received.onReceived(1, true, 1001)
    expect(received.ackDeadline).toBe(1001)
    written(received, 1001)
    received.onReceived(2, true, 1002)
    expect(received.ackDeadline).toBe(1027)
  })
})

describe('RFC 9000 §13.2.3: managing ACK ranges', () => {
  test('all ranges, the highest first', () => {
    expect(written(application(0, 1, 2, 5, 7, 8), 1000)?.ranges).toEqual([8, 7, 5, 5, 2, 0])
  })

  test('what does not fit is left out, the oldest first', () => {
    const received = application(...Array.from({ length: 20 }, (_, i) => 2 * i))
    const w = packet(12)
    received.write(w, 1000)
    const frame = readAck(new Reader(w.bytes, 1, w.pos), FrameType.Ack)
    expect(frame.largestAcknowledged).toBe(38)
    expect(frame.ranges.length / 2).toBeLessThan(20)
    expect(w.pos).toBeLessThanOrEqual(12)
  })

  test('in a packet without room it stays due', () => {
    const received = application(0, 1)
    const w = packet(4)
    received.write(w, 1000)
    expect(w.pos).toBe(0)
    expect(received.isAckDue(1000)).toBe(true)
  })

  test(`only ${MAX_ACK_RANGES} ranges are remembered; what is older counts as received`, () => {
    const received = new ReceivedPackets(Space.Application)
    const random = seeded(3)
    for (let number = 0; number < 20_000; number += 2) received.onReceived(number, random() < 0.5, 1000)
    const ranges = written(received, 1000)?.ranges as readonly number[]
    expect(ranges).toHaveLength(2 * MAX_ACK_RANGES)
    expect(ranges[0]).toBe(19_998)
    const oldest = ranges.at(-1) as number
    expect(received.isDuplicate(oldest - 2)).toBe(true)
    expect(received.isDuplicate(1)).toBe(true)
    expect(received.isDuplicate(oldest + 1)).toBe(false)
  })

  test('the largest number stays known', () => {
    const received = application(0, 1)
    received.onAcked(new SentFrame(SentKind.Ack, 0, 1))
    expect(received.largest).toBe(1)
  })
})

describe('RFC 9000 §12.3: duplicates', () => {
  test('what was received once', () => {
    const received = application(0, 3)
    expect([0, 1, 2, 3, 4].map(number => received.isDuplicate(number))).toEqual([true, false, false, true, false])
  })

  test('what is below the ranges that were dropped', () => {
    const received = application(0, 3)
    received.onAcked(new SentFrame(SentKind.Ack, 0, 3))
    expect([0, 1, 2, 3, 4].map(number => received.isDuplicate(number))).toEqual([true, true, true, true, false])
  })
})

describe('RFC 9000 §13.2.4: limiting ranges by tracking ACK frames', () => {
  test('the record holds the largest acknowledged', () => {
    const record = written(application(0, 4), 1000)?.record
    expect(record).toMatchObject({ kind: SentKind.Ack, offset: 4 })
  })

  test('up to it nothing is acknowledged any more', () => {
    const received = application(0, 2, 4)
    const record = written(received, 1000)?.record as SentFrame
    received.onReceived(5, true, 1010)
    received.onReceived(7, true, 1010)
    received.onAcked(record)
    expect(written(received, 1010)?.ranges).toEqual([7, 7, 5, 5])
  })

  test('an older record changes nothing, a lost one neither', () => {
    const received = application(0, 2, 4)
    received.onAcked(new SentFrame(SentKind.Ack, 0, 2))
    received.onAcked(new SentFrame(SentKind.Ack, 0, 0))
    received.onLost()
    expect(written(received, 1000)?.ranges).toEqual([4, 4])
  })

  test('if nothing is left, nothing is due', () => {
    const received = application(0, 4)
    received.onAcked(new SentFrame(SentKind.Ack, 0, 4))
    expect(written(received, 1000)).toBeUndefined()
    expect(received.ackDeadline).toBe(Number.POSITIVE_INFINITY)
  })

  test('one who only receives asks for an acknowledgment now and then', () => {
    const received = new ReceivedPackets(Space.Application)
    const pings: number[] = []
    for (let i = 0; i < 3 * ACKS_PER_PING; i++) {
      received.onReceived(2 * i, true, 1000)
      received.onReceived(2 * i + 1, true, 1000)
      const ack = written(received, 1000)
      expect(ack?.packet.isAckEliciting).toBe(ack?.hasPing)
      if (ack?.hasPing) pings.push(i + 1)
    }
    expect(pings).toEqual([ACKS_PER_PING, 2 * ACKS_PER_PING, 3 * ACKS_PER_PING])
  })

  test('not when its ACKs are acknowledged anyway, or other frames follow', () => {
    const received = new ReceivedPackets(Space.Application)
    for (let i = 0; i < 3 * ACKS_PER_PING; i++) {
      received.onReceived(i, true, 1000)
      const ack = written(received, 1000, true)
      expect(ack?.hasPing).toBe(false)
      if (i === ACKS_PER_PING) received.onAcked(ack?.record as SentFrame)
    }
    for (let i = 0; i < ACKS_PER_PING - 1; i++) {
      received.onAcked(new SentFrame(SentKind.Ack, 0, 0))
      received.onReceived(500 + i, true, 2000)
      expect(written(received, 2100)?.hasPing).toBe(false)
    }
  })

  test('not in a packet without room', () => {
    const received = new ReceivedPackets(Space.Application)
    for (let i = 0; i < ACKS_PER_PING; i++) {
      received.onReceived(i, true, 1000)
      const w = packet(6)
      received.write(w, 1025)
      expect(w.pos).toBe(6)
    }
  })
})

describe('RFC 9000 §13.2.5: reporting host delay', () => {
  test('since the largest was received, in units of 2^exponent microseconds', () => {
    const received = new ReceivedPackets(Space.Application, { ackDelayExponent: 4 })
    received.onReceived(0, true, 1000)
    received.onReceived(1, false, 1010)
    expect(written(received, 1025)?.ackDelay).toBe(Math.floor(15_000 / 16))
  })

  test('an exponent of 3 unless said otherwise', () => {
    expect(written(application(0), 1025)?.ackDelay).toBe(3125)
  })

  test('and always 3 before the peer can know another', () => {
    const received = new ReceivedPackets(Space.Handshake, { ackDelayExponent: 10 })
    received.onReceived(0, true, 1000)
    expect(written(received, 1008)?.ackDelay).toBe(1000)
  })

  test('not limited by max_ack_delay, and never negative', () => {
    expect(written(application(0), 9000)?.ackDelay).toBe(1_000_000)
    expect(written(application(0, 1), 999.5, true)?.ackDelay).toBe(0)
  })
})
