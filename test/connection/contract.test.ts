// What stands above the waist asks for shapes; these lines say that the connection has them.

import { expect, test } from 'vitest'
import { resolveTransport } from '../../src/connection/config.ts'
import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { Http3Transport, Http3TransportEvent } from '../../src/http3/transport.ts'
import { NoRecorder, type Recorder } from '../../src/qlog/recorder.ts'
import { Pair } from '../sim/pair.ts'
import { Transfer } from './support.ts'

test('a connection is a transport for HTTP/3, and speaks its events', () => {
  const connection = new Pair().connect().client.connection satisfies Http3Transport satisfies Connection
  const tell = (event: ConnectionEvent): Http3TransportEvent => event
  expect(connection.isHandshakeConfirmed).toBe(true)
  expect(tell({ type: 'earlyRejected' })).toEqual({ type: 'earlyRejected' })
})

test('options that do not fit are refused by name', () => {
  expect(() => resolveTransport({ maxDatagramSize: 1199 })).toThrow(/maxDatagramSize/)
  expect(() => resolveTransport({ initialMaxData: -1 })).toThrow(/initialMaxData/)
  expect(() => resolveTransport({ maxIdleTimeout: Number.NaN })).toThrow(/maxIdleTimeout/)
  expect(() => new Pair({ client: { transport: { maxAckDelay: 1e9 } } }).start()).toThrow(RangeError)
})

test.each([
  'maxIdleTimeout',
  'initialMaxData',
  'initialMaxStreamData',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxStreamWindow',
  'maxConnectionWindow',
  'maxAckDelay',
  'maxDatagramFrameSize',
  'maxDatagramSize',
  'probeDatagramSize',
])('RFC 9000 §16: %s becomes an integer on the wire, and has to be one', option => {
  const value = option === 'maxAckDelay' ? 24.5 : 1234.5
  expect(() => resolveTransport({ [option]: value })).toThrow(
    new RegExp(`${option} must be an integer from .*${value}`),
  )
  expect(() => resolveTransport({ [option]: Math.ceil(value) })).not.toThrow()
})

test('the first RTT is a time like any other', () => {
  expect(resolveTransport({ initialRtt: 12.5 }).initialRtt).toBe(12.5)
})

test('a log hears of everything, in the order of time', () => {
  const calls: [string, number][] = []
  const recorder = { ...NoRecorder, enabled: true } as Record<string, unknown>
  for (const name of Object.keys(NoRecorder)) {
    if (name !== 'enabled') recorder[name] = (...values: unknown[]) => calls.push([name, values.at(-1) as number])
  }
  const pair = new Pair({
    seed: 5,
    link: { delay: 10, loss: 0.1 },
    recorder: side => (side === 'client' ? (recorder as never as Recorder) : NoRecorder),
  }).connect()
  expect(new Transfer(pair, 50_000, 50_000).begin().run()).toBe(true)
  pair.client.act(client => client.updateKeys(pair.world.now))
  pair.client.act(client => client.close(0, '', pair.world.now))
  const names = new Set(calls.map(([name]) => name))
  for (const name of [
    'connectionStarted',
    'versionInformation',
    'alpnInformation',
    'parametersSet',
    'packetSent',
    'packetReceived',
    'packetsAcked',
    'packetLost',
    'metricsUpdated',
    'keyUpdated',
    'keyDiscarded',
    'connectionStateUpdated',
    'connectionClosed',
  ]) {
    expect(names).toContain(name)
  }
  const times = calls.map(([, now]) => now)
  expect(times).toEqual([...times].sort((a, b) => a - b))
})
