import { describe, expect, test } from 'vitest'
import { Space } from '../../src/packet/level.ts'
import { MAX_SENT_SPAN } from '../../src/recovery/recovery.ts'
import { ack, confirmed, create, numbers, send } from './support.ts'

const { Initial, Handshake, Application } = Space

describe('RFC 9002 §6.2.1: computing PTO', () => {
  test('without a sample: 333 + 4 * 166.5, no max_ack_delay in Initial and Handshake', () => {
    const recovery = create()
    send(recovery, Initial, 1000)
    expect(recovery.nextTimeout()).toBe(1999)
    expect(recovery.probePeriod(Initial)).toBe(999)
    expect(recovery.probePeriod(Handshake)).toBe(999)
  })

  test('with max_ack_delay in the application space', () => {
    const recovery = confirmed()
    recovery.setMaxAckDelay(40)
    send(recovery, Application, 1000)
    expect(recovery.nextTimeout()).toBe(1000 + 999 + 40)
    expect(recovery.probePeriod(Application)).toBe(1039)
  })

  test('rttvar counts for kGranularity at least', () => {
    const recovery = confirmed()
    for (let i = 0; i < 60; i++) {
      const number = send(recovery, Application, 1000 * i)
      recovery.onAck(Application, ack([number, number]), 0, 1000 * i + 50)
    }
    expect(recovery.rtt.variance).toBeLessThan(0.25)
    send(recovery, Application, 100_000)
    expect(recovery.nextTimeout()).toBeCloseTo(100_000 + 50 + 1 + 25)
  })

  test('restarts with every ack-eliciting packet that is sent', () => {
    const recovery = create()
    send(recovery, Initial, 1000)
    send(recovery, Initial, 1300)
    expect(recovery.nextTimeout()).toBe(2299)
    send(recovery, Initial, 1400, { isAckEliciting: false })
    expect(recovery.nextTimeout()).toBe(2299)
  })

  test('restarts with an acknowledgment', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    send(recovery, Application, 1010)
    recovery.onAck(Application, ack([0, 0]), 0, 1100)
    expect(recovery.nextTimeout()).toBe(1010 + 100 + 200 + 25)
  })

  test('the earlier of Initial and Handshake', () => {
    const recovery = create({ isServer: true })
    send(recovery, Initial, 1000)
    send(recovery, Handshake, 1001)
    expect(recovery.nextTimeout()).toBe(1999)
    recovery.onAck(Initial, ack([0, 0]), 0, 1101)
    expect(recovery.nextTimeout()).toBe(1001 + 101 + 202)
  })

  test('not in the application space before the handshake is confirmed', () => {
    const server = create({ isServer: true })
    send(server, Application, 1000)
    expect(server.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    server.onHandshakeConfirmed(1500)
    expect(server.nextTimeout()).toBe(1000 + 999 + 25)
  })

  test('0-RTT packets do not keep the Initial ones from their timer', () => {
    const client = create()
    send(client, Initial, 1000)
    send(client, Application, 1500, { isEarly: true })
    expect(client.nextTimeout()).toBe(1999)
  })

  test('not while a packet waits for the time threshold', () => {
    const recovery = confirmed()
    for (let i = 0; i < 3; i++) send(recovery, Application, 1000)
    recovery.onAck(Application, ack([1, 1]), 0, 1100)
    expect(recovery.nextTimeout()).toBe(1112.5)
    recovery.onTimeout(1112.5)
    expect(recovery.ptoCount).toBe(0)
    expect(recovery.nextTimeout()).toBe(1000 + 100 + 200 + 25)
  })

  test('no timer when nothing ack-eliciting is in flight', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000, { isAckEliciting: false, isInFlight: true })
    expect(recovery.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('RFC 9002 §6.2.1: backoff', () => {
  test('doubles with every timeout, in all spaces', () => {
    const recovery = create({ isServer: true })
    send(recovery, Initial, 1000)
    recovery.onTimeout(1999)
    expect(recovery.nextTimeout()).toBe(1000 + 2 * 999)
    send(recovery, Handshake, 2000)
    expect(recovery.nextTimeout()).toBe(1000 + 2 * 999)
    recovery.onTimeout(2998)
    expect(recovery.nextTimeout()).toBe(1000 + 4 * 999)
    expect(recovery.ptoCount).toBe(2)
    expect(recovery.stats.probeTimeouts).toBe(2)
  })

  test('includes max_ack_delay', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    recovery.onTimeout(2024)
    expect(recovery.nextTimeout()).toBe(1000 + 2 * (999 + 25))
  })

  test('is over with an acknowledgment', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    recovery.onTimeout(2024)
    send(recovery, Application, 2025)
    recovery.onAck(Application, ack([1, 1]), 0, 2125)
    expect(recovery.ptoCount).toBe(0)
    expect(recovery.pendingProbes(Application)).toBe(0)
  })

  test('is not over at a client that is unsure of its validation, by an ACK in Initial', () => {
    const client = create()
    send(client, Initial, 1000)
    client.onTimeout(1999)
    client.onAck(Initial, ack([0, 0]), 0, 2000)
    expect(client.ptoCount).toBe(1)
    expect(client.hasPeerCompletedAddressValidation).toBe(false)
    send(client, Handshake, 2001)
    client.onAck(Handshake, ack([0, 0]), 0, 2050)
    expect(client.ptoCount).toBe(0)
    expect(client.hasPeerCompletedAddressValidation).toBe(true)
  })

  test('stays a number however long it goes on', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    for (let i = 0; i < 2000; i++) recovery.onTimeout(recovery.nextTimeout())
    expect(recovery.nextTimeout()).toBe(1000 + 1024 * 2 ** 16)
  })
})

describe('RFC 9002 §6.2.4: sending probes', () => {
  test('two where the timer fired; sent ones are counted off', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    expect(recovery.pendingProbes(Application)).toBe(0)
    const outcome = recovery.onTimeout(2024)
    expect(outcome.lost).toHaveLength(0)
    expect(recovery.bytesInFlight).toBe(1200)
    expect(recovery.pendingProbes(Application)).toBe(2)
    send(recovery, Application, 2024, { isAckEliciting: false })
    expect(recovery.pendingProbes(Application)).toBe(2)
    send(recovery, Application, 2024)
    expect(recovery.pendingProbes(Application)).toBe(1)
    send(recovery, Application, 2024)
    send(recovery, Application, 2024)
    expect(recovery.pendingProbes(Application)).toBe(0)
  })

  test('one in each other space with packets in flight', () => {
    const server = create({ isServer: true })
    send(server, Initial, 1000)
    send(server, Handshake, 1001)
    server.onTimeout(1999)
    expect([Initial, Handshake, Application].map(space => server.pendingProbes(space))).toEqual([2, 1, 0])
  })

  test('the content is that of the oldest packets, another one for each probe', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000, { isAckEliciting: false })
    for (let i = 1; i <= 2; i++) send(recovery, Application, 1000)
    recovery.onTimeout(recovery.nextTimeout())
    expect(recovery.takeProbeContent(Application)?.number).toBe(1)
    expect(recovery.takeProbeContent(Application)?.number).toBe(2)
    expect(recovery.takeProbeContent(Application)).toBeUndefined()
    expect(recovery.bytesInFlight).toBe(2400)
    send(recovery, Application, 2100)
    expect(recovery.takeProbeContent(Application)?.number).toBe(3)
  })

  test('or of several, in their order, as long as there is room', () => {
    const recovery = confirmed()
    for (let i = 0; i < 3; i++) send(recovery, Application, 1000)
    recovery.onTimeout(recovery.nextTimeout())
    expect(recovery.takeProbeContent(Application, 1199)).toBeUndefined()
    expect(recovery.takeProbeContent(Application, 1200)?.number).toBe(0)
    expect(recovery.takeProbeContent(Application, 100)).toBeUndefined()
    expect(recovery.takeProbeContent(Application)?.number).toBe(1)
  })

  test('does nothing before its time', () => {
    const recovery = confirmed()
    send(recovery, Application, 1000)
    recovery.onTimeout(2023)
    expect(recovery.ptoCount).toBe(0)
  })
})

describe('RFC 9002 §6.2.2.1: before address validation', () => {
  test('the client keeps a timer with nothing in flight, from now on', () => {
    const client = create()
    send(client, Initial, 1000)
    client.onAck(Initial, ack([0, 0]), 0, 1100)
    expect(client.bytesInFlight).toBe(0)
    expect(client.nextTimeout()).toBe(1100 + 100 + 200)
    client.onTimeout(1400)
    expect(client.pendingProbes(Initial)).toBe(1)
    expect(client.ptoCount).toBe(1)
    expect(client.nextTimeout()).toBe(1400 + 600)
  })

  test('the probe is a Handshake packet once there are keys', () => {
    const client = create()
    send(client, Initial, 1000)
    client.onAck(Initial, ack([0, 0]), 0, 1100)
    client.onHandshakeKeys()
    client.discardSpace(Initial, 1110)
    expect(client.nextTimeout()).toBe(1110 + 300)
    client.onTimeout(1410)
    expect(client.pendingProbes(Initial)).toBe(0)
    expect(client.pendingProbes(Handshake)).toBe(1)
  })

  test('also when only 0-RTT packets are in flight, which have no timer of their own', () => {
    const client = create()
    send(client, Initial, 1000)
    send(client, Application, 1000, { isEarly: true })
    client.onAck(Initial, ack([0, 0]), 0, 1100)
    expect(client.nextTimeout()).toBe(1400)
    client.onTimeout(1400)
    expect(client.pendingProbes(Initial)).toBe(1)
    expect(client.pendingProbes(Application)).toBe(1)
  })

  test('it ends with an acknowledged Handshake packet', () => {
    const client = create()
    send(client, Handshake, 1000)
    client.onAck(Handshake, ack([0, 0]), 0, 1100)
    expect(client.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })

  test('and with the confirmation of the handshake', () => {
    const client = create()
    send(client, Initial, 1000)
    client.onAck(Initial, ack([0, 0]), 0, 1100)
    client.onHandshakeConfirmed(1150)
    expect(client.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })

  test('a server has no such timer', () => {
    const server = create({ isServer: true })
    send(server, Initial, 1000)
    server.onAck(Initial, ack([0, 0]), 0, 1100)
    expect(server.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
  })

  test('RFC 9002 §A.6: a blocked server has no probe timer; unblocked late, it fires at once', () => {
    const server = create({ isServer: true })
    send(server, Initial, 1000)
    server.setAmplificationLimited(true, 1000)
    expect(server.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    server.onTimeout(5000)
    expect(server.pendingProbes(Initial)).toBe(0)
    server.setAmplificationLimited(false, 5000)
    expect(server.nextTimeout()).toBe(1999)
    server.onTimeout(5000)
    expect(server.pendingProbes(Initial)).toBe(2)
  })

  test('RFC 9002 §A.8: but it keeps the one for lost packets', () => {
    const server = create({ isServer: true })
    for (let i = 0; i < 2; i++) send(server, Initial, 1000)
    server.setAmplificationLimited(true, 1000)
    server.onAck(Initial, ack([1, 1]), 0, 1100)
    expect(server.nextTimeout()).toBe(1112.5)
  })
})

describe('RFC 9002 §A.11: dropping keys', () => {
  test('removes the packets, resets the backoff and the timer', () => {
    const server = create({ isServer: true })
    send(server, Initial, 1000)
    send(server, Handshake, 1500, { size: 700 })
    server.onTimeout(1999)
    server.discardSpace(Initial, 2100)
    expect(server.bytesInFlight).toBe(700)
    expect(server.ptoCount).toBe(0)
    expect(server.pendingProbes(Initial)).toBe(0)
    expect(server.nextTimeout()).toBe(1500 + 999)
  })

  test('a loss that waited for its time is forgotten', () => {
    const server = create({ isServer: true })
    for (let i = 0; i < 2; i++) send(server, Initial, 1000)
    server.onAck(Initial, ack([1, 1]), 0, 1100)
    server.discardSpace(Initial, 1101)
    expect(server.nextTimeout()).toBe(Number.POSITIVE_INFINITY)
    expect(server.onTimeout(1200).lost).toHaveLength(0)
  })

  test('the application space has no such end', () => {
    expect(() => confirmed().discardSpace(Application, 0)).toThrow(RangeError)
  })
})

test('a peer that acknowledges nothing does not make the table grow for ever', () => {
  const recovery = confirmed()
  send(recovery, Application, 1000)
  for (let i = 0; i < MAX_SENT_SPAN; i++) send(recovery, Application, 1001, { isAckEliciting: false, size: 30 })
  const outcome = recovery.onTimeout(recovery.nextTimeout())
  expect(numbers(outcome.lost)).toEqual([0])
  expect(recovery.bytesInFlight).toBe(0)
  expect(recovery.pendingProbes(Application)).toBe(2)
})
