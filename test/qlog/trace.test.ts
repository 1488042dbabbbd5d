// Logs of whole connections in a simulated network, against the schema of the draft.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { QlogWriter } from '../../src/qlog/qlog-writer.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { provisioned } from '../connection/early.ts'
import { Transfer } from '../connection/support.ts'
import { Pair, type PairOptions, serverAddress } from '../sim/pair.ts'
import { eventNames, faultsOf, type LoggedEvent } from './schema.ts'

type Logs = Record<'client' | 'server', LoggedEvent[]>

function logged(options: PairOptions): { pair: Pair; logs: Logs } {
  const logs: Logs = { client: [], server: [] }
  const pair = new Pair({
    ...options,
    recorder: (vantagePoint, odcid) => {
      const write = (line: string): void => {
        const record = JSON.parse(line.slice(1)) as LoggedEvent
        if (record.name !== undefined) logs[vantagePoint].push(record)
      }
      return new QlogWriter(write, { vantagePoint, odcid })
    },
  })
  return { pair, logs }
}

function named(log: readonly LoggedEvent[], name: string): LoggedEvent['data'][] {
  return log.filter(event => event.name === `quic:${name}`).map(event => event.data)
}

/** A connection to which everything happens. */
function eventful(): Logs {
  const { pair, logs } = logged({
    seed: 3,
    bufferSize: 2000,
    link: { delay: 20, loss: 0.03, reorder: 0.05, duplicate: 0.02, corrupt: 0.01, mtu: 1400, rate: 2000 },
    retry: new AddressTokens(nodeBackend),
    client: { transport: { maxDatagramFrameSize: 1000, initialMaxData: 50_000, initialMaxStreamData: 20_000 } },
    server: { transport: { maxDatagramFrameSize: 1000, initialMaxData: 50_000, initialMaxStreamData: 20_000 } },
  })
  pair.connect()
  new Transfer(pair, 400_000, 400_000, 3).begin().run()
  pair.client.act(client => client.updateKeys(pair.world.now))
  for (let i = 0; i < 100; i++) pair.client.act(client => client.sendDatagram(new Uint8Array(900)))
  pair.world.pass(1000)
  pair.client.others.push({ host: '198.51.100.7', port: 5000 })
  pair.client.act(client => client.migrate({ ...serverAddress, via: 1 }, pair.world.now))
  pair.world.pass(5000)
  new Transfer(pair, 50_000, 50_000).begin().run()
  pair.world.pass(1000)
  pair.client.act(client => client.close(3, 'done', pair.world.now))
  pair.world.pass(60_000)
  return logs
}

/** Classes that cannot come up in the log of one connection, and where else they are, if anywhere. */
const elsewhere = new Set(['server_listening', 'parameters_restored', 'packet_buffered', 'udp_datagram_dropped'])

describe('draft-ietf-quic-qlog-quic-events: the log of a connection', () => {
  const logs = eventful()

  test.each(['client', 'server'] as const)('of a %s keeps to the schema', side => {
    expect(logs[side].length).toBeGreaterThan(500)
    expect([...new Set(logs[side].flatMap(faultsOf))]).toEqual([])
  })

  test('holds every class of events that applies', () => {
    const seen = new Set([...logs.client, ...logs.server].map(event => event.name.replace('quic:', '')))
    expect(eventNames.filter(name => !seen.has(name) && !elsewhere.has(name))).toEqual([])
  })

  test('times never go back', () => {
    for (const log of [logs.client, logs.server]) {
      const times = log.map(event => event.time)
      expect(times).toEqual([...times].sort((a, b) => a - b))
    }
  })

  test('RFC 9002 §6.1: a loss says how it was found, and what has to be sent again', () => {
    const lost = named(logs.server, 'packet_lost').concat(named(logs.client, 'packet_lost'))
    const triggers = new Set(lost.map(({ trigger }) => trigger))
    expect(triggers).toContain('reordering_threshold')
    expect(triggers).toContain('time_threshold')
    expect(lost.some(each => each.is_mtu_probe_packet)).toBe(true)
    expect(named(logs.client, 'marked_for_retransmit').length).toBeGreaterThan(0)
  })

  test('RFC 9000 §17.2.5: a client logs the Retry, and the id that came with it', () => {
    expect(named(logs.client, 'packet_received')[0].header).toEqual({ packet_type: 'retry' })
    expect(named(logs.client, 'connection_id_updated').length).toBeGreaterThan(2)
  })

  test('states from the first packet to the last', () => {
    const states = (log: readonly LoggedEvent[]) => named(log, 'connection_state_updated').map(data => data.new)
    expect(states(logs.client)).toEqual([
      'attempted',
      'handshake_started',
      'handshake_complete',
      'handshake_confirmed',
      'closing',
      'closed',
    ])
    expect(states(logs.server)).toEqual(
      expect.arrayContaining([
        'attempted',
        'handshake_started',
        'early_write',
        'handshake_confirmed',
        'draining',
        'closed',
      ]),
    )
    expect(named(logs.client, 'connection_closed')).toMatchObject([
      { initiator: 'local', error_code: 3, reason: 'done' },
    ])
    expect(named(logs.server, 'connection_closed')).toMatchObject([{ initiator: 'remote', error_code: 3 }])
  })

  test('RFC 9000 §9: migration, from the first question to the new tuple', () => {
    expect(named(logs.client, 'migration_state_updated').map(data => data.new)).toEqual([
      'probing_started',
      'probing_successful',
      'migration_complete',
    ])
    expect(named(logs.server, 'migration_state_updated').map(data => data.new)).toEqual([
      'migration_started',
      'migration_complete',
    ])
    expect(named(logs.server, 'tuple_assigned').at(-1).tuple_remote).toMatchObject({ ip_v4: '198.51.100.7' })
  })

  test('each key once, and how it came', () => {
    const keys = named(logs.client, 'key_updated').map(data => `${data.key_type} ${data.trigger}`)
    expect(keys).toEqual([
      'client_initial_secret tls',
      'server_initial_secret tls',
      ...['handshake', '1rtt'].flatMap(of => keys.filter(key => key.includes(`_${of}_`) && key.endsWith('tls'))),
      'client_1rtt_secret local_update',
      'server_1rtt_secret local_update',
    ])
    expect(keys.length).toBe(8)
    expect(named(logs.server, 'key_updated').filter(data => data.trigger === 'remote_update').length).toBe(2)
  })

  test('streams: every one that opens closes, once on each side', () => {
    for (const log of [logs.client, logs.server]) {
      const states = named(log, 'stream_state_updated').filter(data => data.stream_id < 16)
      const count = (state: string) => states.filter(data => data.new === state).length
      expect(count('open')).toBe(8)
      expect(count('closed')).toBe(8)
    }
  })
})

describe('what other connections log', () => {
  test('RFC 9001 §4.6: early data: what was remembered, its keys, and packets that wait for theirs', () => {
    const { resumption, server } = provisioned()
    const { pair, logs } = logged({ client: { resumption, earlyData: true }, server })
    pair.start(client => client.write(client.openStream('bidi') as number, new Uint8Array(500), true))
    pair.world.pass(60_000)
    expect([...logs.client, ...logs.server].flatMap(faultsOf)).toEqual([])
    expect(named(logs.client, 'parameters_restored')).toMatchObject([{ initial_max_data: expect.any(Number) }])
    for (const log of [logs.client, logs.server]) {
      expect(named(log, 'key_updated').filter(data => data.key_type === 'client_0rtt_secret').length).toBe(1)
      expect(named(log, 'key_discarded').filter(data => data.key_type === 'client_0rtt_secret').length).toBe(1)
    }
    expect(named(logs.client, 'connection_closed')).toMatchObject([{ trigger: 'idle_timeout' }])
    expect(named(logs.client, 'connection_state_updated').at(-1).new).toBe('closed')
  })

  test('RFC 9000 §6.2: a Version Negotiation packet, with what it offers and what becomes of it', () => {
    const { pair, logs } = logged({
      client: { versions: [QUIC_V1, QUIC_V2] },
      server: { versions: [QUIC_V2] },
    })
    pair.connect()
    expect(logs.client.flatMap(faultsOf)).toEqual([])
    expect(named(logs.client, 'packet_received')[0]).toMatchObject({
      header: { packet_type: 'version_negotiation' },
      supported_versions: ['6b3343cf'],
    })
    expect(named(logs.client, 'version_information')).toContainEqual({
      client_versions: ['00000001', '6b3343cf'],
      server_versions: ['6b3343cf'],
      chosen_version: '6b3343cf',
    })
  })

  test('RFC 9000 §10.2.1: datagrams that come after the end are dropped unread', () => {
    const { pair, logs } = logged({})
    pair.connect()
    pair.client.act(client => client.close(0, '', pair.world.now))
    pair.server.act(server => server.updateKeys(pair.world.now))
    pair.client.receive(new Uint8Array(50), serverAddress)
    expect(named(logs.client, 'udp_datagram_dropped')).toEqual([{ raw: { length: 50, payload_length: 50 } }])
    expect(logs.client.flatMap(faultsOf)).toEqual([])
  })
})

test('the checker notices what is wrong', () => {
  const fault = (name: string, data: unknown): string => faultsOf({ time: 1, name, data }).join()
  expect(fault('quic:key_updated', { key_type: 'client_1rtt_secret' })).toBe('')
  expect(fault('quic:key_updated', {})).toContain('missing')
  expect(fault('quic:key_updated', { key_type: 'x' })).toContain('KeyType')
  expect(fault('quic:mtu_updated', { new: 1.5 })).toContain('uint')
  expect(fault('quic:mtu_updated', { new: 1, old_one: 2 })).toContain('not in the schema')
  expect(fault('quic:mtu_changed', { new: 1 })).toContain('no event')
  expect(fault('quic:packet_sent', { header: { packet_type: '1RTT' }, frames: [{ frame_type: 'stream' }] })).toContain(
    'stream_id is missing',
  )
})
