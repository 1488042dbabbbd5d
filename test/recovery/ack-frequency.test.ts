import { describe, expect, test } from 'vitest'
import { Level, Space } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import {
  AckFrequency,
  FIRST_CLIMB,
  LAST_CLIMB,
  LAST_THRESHOLD,
  PACKETS_IN_PAIRS,
} from '../../src/recovery/ack-frequency.ts'
import { MAX_ACK_RANGES, ReceivedPackets } from '../../src/recovery/received-packets.ts'

/** Receives packets, and sends ACKs when they are due. */
class Receiver {
  readonly received = new ReceivedPackets(Space.Application)
  now = 1000
  next = 0
  /** Largest packet number when each ACK was sent. */
  acks: number[] = []

  receive(number = this.next, isAckEliciting = true): boolean {
    this.next = Math.max(this.next, number + 1)
    this.received.onReceived(number, isAckEliciting, this.now)
    return this.acknowledge()
  }

  acknowledge(): boolean {
    if (!this.received.isAckDue(this.now)) return false
    const writer = new PacketWriter(Level.OneRtt, new Uint8Array(200), 0, 200)
    this.received.write(writer, this.now)
    this.acks.push(this.received.largest)
    return true
  }

  /** A transfer of so many packets, 0.1 ms apart. */
  transfer(packets: number): this {
    for (let i = 0; i < packets; i++) {
      this.now += 0.1
      this.receive()
    }
    return this
  }

  /** Waits until the ACK is due. */
  pause(): this {
    if (this.received.ackDeadline < Number.POSITIVE_INFINITY) this.now = Math.max(this.now, this.received.ackDeadline)
    this.acknowledge()
    return this
  }
}

describe('RFC 9000 §13.2.2: acknowledgment frequency', () => {
  test(`${PACKETS_IN_PAIRS} packets in pairs`, () => {
    const receiver = new Receiver().transfer(PACKETS_IN_PAIRS)
    expect(receiver.acks).toHaveLength(PACKETS_IN_PAIRS / 2)
  })

  test(`then less and less often, down to every ${LAST_THRESHOLD}th`, () => {
    const receiver = new Receiver().transfer(PACKETS_IN_PAIRS)
    const thresholds = new Set<number>()
    for (let i = 0; i < 500; i++) thresholds.add(receiver.transfer(1).received.frequency.threshold)
    expect([...thresholds]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10])
    receiver.acks = []
    receiver.transfer(10_000)
    expect(receiver.acks).toHaveLength(1000)
  })

  test('no ACK waits longer than max_ack_delay', () => {
    const receiver = new Receiver().transfer(2000).pause()
    receiver.transfer(1)
    expect(receiver.received.ackDeadline).toBe(receiver.now + 25)
  })

  test('nor, when there are more than two to wait for, than a quarter of the RTT', () => {
    const receiver = new Receiver()
    receiver.received.frequency.rtt = 20
    receiver.transfer(2000)
    expect(receiver.received.frequency.threshold).toBe(LAST_THRESHOLD)
    while (receiver.acks.at(-1) !== receiver.received.largest) receiver.transfer(1)
    receiver.transfer(1)
    expect(receiver.received.ackDeadline).toBe(receiver.now + 5)
    receiver.received.frequency.rtt = 0.2
    expect(receiver.received.frequency.delay).toBe(1)
    receiver.received.frequency.rtt = 1000
    expect(receiver.received.frequency.delay).toBe(25)
  })

  test('RFC 9000 §13.2.1: at once on reordering and gaps, however thin', () => {
    const receiver = new Receiver().transfer(2000).pause()
    const number = receiver.next
    expect(receiver.receive(number)).toBe(false)
    expect(receiver.receive(number + 2)).toBe(true)
    expect(receiver.receive(number + 1)).toBe(true)
    expect(receiver.receive(number + 3)).toBe(false)
  })

  test('a sender who waits for ACKs gets them in pairs again', () => {
    const receiver = new Receiver().transfer(2000)
    while (receiver.acks.at(-1) !== receiver.received.largest) receiver.transfer(1)
    // A window of four packets: the fifth comes only after an ACK.
    receiver.transfer(4).pause()
    expect(receiver.received.frequency.threshold).toBe(2)
    receiver.acks = []
    receiver.transfer(4)
    expect(receiver.acks).toHaveLength(2)
  })

  test('and pays for few of the attempts to give him fewer', () => {
    const receiver = new Receiver().transfer(2000)
    let pauses = 0
    for (let flight = 0; flight < 1000; flight++) {
      receiver.transfer(4)
      if (receiver.acks.at(-1) === receiver.received.largest) continue
      pauses++
      receiver.pause()
    }
    expect(pauses).toBeLessThan(30)
  })

  test('a threshold that held for long restores confidence', () => {
    const frequency = new AckFrequency()
    const full = (count: number) => {
      for (let i = 0; i < count; i++) {
        for (let k = frequency.threshold; k > 0; k--) frequency.onAckEliciting()
        frequency.onAckSent(frequency.threshold, false)
      }
    }
    const climb = () => {
      let acks = 0
      for (; frequency.threshold === 2; acks++) full(1)
      return acks
    }
    full(2000)
    expect(frequency.threshold).toBe(LAST_THRESHOLD)
    frequency.onAckSent(3, true)
    expect(climb()).toBe(2 * FIRST_CLIMB)
    for (let i = 0; i < 9; i++) {
      frequency.onAckSent(2, true)
      climb()
    }
    frequency.onAckSent(2, true)
    expect(climb()).toBe(LAST_CLIMB)
    full(2000)
    frequency.onAckSent(3, true)
    expect(climb()).toBe(2 * FIRST_CLIMB)
  })
})

describe('ACK_FREQUENCY (draft-ietf-quic-ack-frequency §4)', () => {
  const requested = (threshold: number, delay = 25, reordering = 1) => {
    const receiver = new Receiver()
    expect(receiver.received.frequency.request(0, threshold, delay, reordering)).toBe(true)
    return receiver
  }

  test('an Ack-Eliciting Threshold of 0: every packet', () => {
    expect(requested(0).transfer(10).acks).toHaveLength(10)
  })

  test('more packets than the threshold, from the first on', () => {
    expect(requested(4).transfer(50).acks).toEqual([4, 9, 14, 19, 24, 29, 34, 39, 44, 49])
  })

  test('it is kept: nothing adapts any more', () => {
    const receiver = requested(4).transfer(5000)
    receiver.transfer(2).pause()
    expect(receiver.received.frequency.threshold).toBe(5)
  })

  test('Requested Max Ack Delay', () => {
    const receiver = requested(100, 7).transfer(1)
    expect(receiver.received.ackDeadline).toBe(receiver.now + 7)
  })

  test('obsolete frames are ignored', () => {
    const { frequency } = new ReceivedPackets(Space.Application)
    expect(frequency.request(5, 3, 10, 1)).toBe(true)
    expect(frequency.request(5, 9, 20, 2)).toBe(false)
    expect(frequency.request(4, 9, 20, 2)).toBe(false)
    expect(frequency).toMatchObject({ threshold: 4, maxAckDelay: 10, reorderingThreshold: 1 })
  })

  test('§6.2: a Reordering Threshold of 0: order does not matter', () => {
    const receiver = requested(100, 25, 0)
    for (const number of [0, 5, 3, 9, 1]) expect(receiver.receive(number)).toBe(false)
  })

  test.each([
    // §6.2.1, Tables 1 and 2: packets received, and which of them are acknowledged at once.
    [3, [0, 1, 3, 4, 5, 8, 9, 10], [5, 9, 10]],
    [5, [0, 1, 3, 5, 6, 7, 8, 9], [7, 9]],
  ])('§6.2.1: a Reordering Threshold of %d', (reordering, packets, acknowledged) => {
    const receiver = requested(100, 25, reordering)
    for (const number of packets) receiver.receive(number)
    expect(receiver.acks).toEqual(acknowledged)
  })

  test('§6.2: a packet that the peer has given up already is reported at once', () => {
    const receiver = requested(100, 25, 3)
    for (const number of [0, 1, 3, 4, 5]) receiver.receive(number)
    expect(receiver.receive(2)).toBe(true)
    expect(receiver.receive(6)).toBe(false)
  })

  test('§6: no range is dropped unsent', () => {
    const receiver = requested(1000, 25, 0)
    for (let i = 0; i < MAX_ACK_RANGES - 1; i++) expect(receiver.receive(2 * i)).toBe(false)
    expect(receiver.receive(2 * MAX_ACK_RANGES - 2)).toBe(true)
  })

  test('§5: IMMEDIATE_ACK', () => {
    const receiver = requested(100).transfer(3)
    expect(receiver.received.isAckDue(receiver.now)).toBe(false)
    receiver.received.requestAck(receiver.now)
    expect(receiver.acknowledge()).toBe(true)
    expect(receiver.received.ackDeadline).toBe(Number.POSITIVE_INFINITY)
  })
})
