import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { SentFrame, SentKind } from '../../src/packet/sent-frame.ts'
import { MAX_ACK_ONLY_PACKETS, SentPacket, SentPackets } from '../../src/recovery/sent-packets.ts'
import { ack, confirmed, create, numbers, send } from './support.ts'

const packet = (number: number, isAckEliciting = true, size = 100) =>
  new SentPacket(number, Space.Application, 1000, size, isAckEliciting, isAckEliciting, [])

describe('RFC 9002 §A.1: tracking sent packets', () => {
  test('what a packet carried comes back with it', () => {
    const recovery = confirmed()
    const frames = [new SentFrame(SentKind.Stream, 4, 0, 1000, true), new SentFrame(SentKind.MaxData, 0, 5000)]
    send(recovery, Space.Application, 1000, { frames })
    expect(recovery.onAck(Space.Application, ack([0, 0]), 0, 1100).acked[0]?.frames).toBe(frames)
  })

  test('ranges are cut to what is there: a huge one is as cheap as an exact one', () => {
    const sent = new SentPackets()
    for (const number of [5, 6, 9]) sent.add(packet(number))
    const taken: SentPacket[] = []
    sent.takeAcknowledged([2 ** 52, 6, 4, 0], taken)
    expect(numbers(taken)).toEqual([6, 9])
    expect(sent).toMatchObject({ size: 1, first: 5, bytesInFlight: 100, ackElicitingInFlight: 1 })
  })

  test('many ranges, ascending in the result', () => {
    const sent = new SentPackets()
    for (let i = 0; i < 10; i++) sent.add(packet(i))
    const taken: SentPacket[] = []
    sent.takeAcknowledged([9, 8, 6, 6, 3, 1], taken)
    expect(numbers(taken)).toEqual([1, 2, 3, 6, 8, 9])
    sent.takeAcknowledged([9, 8, 6, 6, 3, 1], taken)
    expect(taken).toHaveLength(6)
  })

  test('removing what is not there changes nothing', () => {
    const sent = new SentPackets()
    sent.add(packet(1))
    expect(sent.remove(2)).toBeUndefined()
    expect(sent.get(2)).toBeUndefined()
    expect(sent.bytesInFlight).toBe(100)
  })

  test('the outcome object is reused', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000)
    send(recovery, Space.Application, 1000)
    const first = recovery.onAck(Space.Application, ack([0, 0]), 0, 1100)
    const second = recovery.onAck(Space.Application, ack([1, 1]), 0, 1100)
    expect(second).toBe(first)
    expect(numbers(first.acked)).toEqual([1])
  })
})

describe('ACK-only packets', () => {
  test('RFC 9002 §2: are not in flight', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000, { isAckEliciting: false })
    expect(recovery.bytesInFlight).toBe(0)
    expect(recovery.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })

  test('RFC 9002 §2: PADDING alone is in flight', () => {
    const recovery = confirmed()
    send(recovery, Space.Application, 1000, { isAckEliciting: false, isInFlight: true })
    expect(recovery.bytesInFlight).toBe(1200)
  })

  test('the oldest are forgotten beyond a bound, those in flight never', () => {
    const sent = new SentPackets()
    sent.add(packet(0))
    let number = 1
    for (; number <= MAX_ACK_ONLY_PACKETS; number++) sent.add(packet(number, false))
    sent.add(packet(number++))
    expect(sent.size).toBe(MAX_ACK_ONLY_PACKETS + 2)
    for (let i = 0; i < 1000; i++) sent.add(packet(number++, i % 10 === 0))
    expect(sent.ackElicitingInFlight).toBe(102)
    expect(sent.size).toBe(MAX_ACK_ONLY_PACKETS + 102)
    expect(sent.get(0)).toBeDefined()
    expect(sent.get(1)).toBeUndefined()
    expect(sent.get(number - 1)).toBeDefined()
  })
})

describe('RFC 9002 §6.4: packets that will never be acknowledged', () => {
  test('rejected 0-RTT packets leave the flight, without a signal', () => {
    const client = create()
    send(client, Space.Initial, 1000)
    send(client, Space.Application, 1000, { isEarly: true })
    send(client, Space.Application, 1000, { isEarly: true })
    send(client, Space.Application, 1100)
    const window = client.congestion.window
    expect(numbers(client.onEarlyRejected(1200).lost)).toEqual([0, 1])
    expect(client.bytesInFlight).toBe(2400)
    expect(client.congestion.window).toBe(window)
    expect(client.stats.packetsLost).toBe(0)
  })

  test('1-RTT acknowledgments of 0-RTT packets count like any other', () => {
    const client = create()
    send(client, Space.Application, 1000, { isEarly: true })
    send(client, Space.Application, 1010)
    expect(numbers(client.onAck(Space.Application, ack([0, 1]), 0, 1060).acked)).toEqual([0, 1])
    expect(client.rtt.latest).toBe(50)
  })
})

describe('RFC 9002 §6.3: Retry', () => {
  test('resets congestion control and recovery, but not the numbers', () => {
    const client = create({ initialRtt: 200 })
    send(client, Space.Initial, 1000)
    send(client, Space.Application, 1000, { isEarly: true })
    client.onTimeout(1600)
    const outcome = client.onRetry(1700)
    expect(outcome.lost.map(lost => lost.space)).toEqual([Space.Initial, Space.Application])
    expect(client).toMatchObject({ bytesInFlight: 0, ptoCount: 0 })
    expect(client.pendingProbes(Space.Initial)).toBe(0)
    expect(client.nextNumber(Space.Initial)).toBe(1)
    expect(client.nextNumber(Space.Application)).toBe(1)
    expect(client.congestion.window).toBe(12_000)
    expect(client.stats.packetsLost).toBe(0)
    // It is unclear which Initial the Retry answers: no guess of the RTT.
    expect(client.rtt.smoothed).toBe(200)
    expect(client.nextTimeout()).toBe(1700 + 600)
  })

  test('the time to the Retry becomes the initial RTT, but is no sample', () => {
    const client = create()
    send(client, Space.Initial, 1000)
    client.onRetry(1040)
    expect(client.rtt).toMatchObject({ smoothed: 40, variance: 20, hasSample: false })
  })

  test('with nothing in flight', () => {
    const client = create()
    expect(client.onRetry(1040).lost).toHaveLength(0)
    expect(client.rtt.smoothed).toBe(333)
  })
})
