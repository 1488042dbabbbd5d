// node:diagnostics_channel and the numbers of an endpoint, with real subscribers and real sockets.

import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { DiagnosticsChannelName, DiagnosticsMessages } from '../../src/endpoint/channels.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'
import { faultsOf, type LoggedEvent } from '../qlog/schema.ts'
import { client, closing, echo, eventually, failure, pattern, Stranger, server } from './helpers.ts'

const names: readonly DiagnosticsChannelName[] = [
  'zerotrip:connection:open',
  'zerotrip:connection:handshake',
  'zerotrip:connection:path',
  'zerotrip:connection:stats',
  'zerotrip:connection:close',
  'zerotrip:endpoint:bind',
  'zerotrip:endpoint:refuse',
  'zerotrip:endpoint:retry',
  'zerotrip:endpoint:version',
  'zerotrip:endpoint:reset',
  'zerotrip:endpoint:close',
]
const undo: (() => void)[] = []

afterEach(() => {
  for (const stop of undo.splice(0)) stop()
})

function on<N extends DiagnosticsChannelName>(name: N, take: (message: DiagnosticsMessages[N]) => void): void {
  const listener = (message: unknown): void => take(message as DiagnosticsMessages[N])
  subscribe(name, listener)
  undo.push(() => unsubscribe(name, listener))
}

/** Everything that is said from now on. */
function record(): { readonly name: DiagnosticsChannelName; readonly message: Record<string, unknown> }[] {
  const said: ReturnType<typeof record> = []
  for (const name of names) on(name, message => said.push({ name, message: { ...message } }))
  return said
}

describe('channels of a connection', () => {
  test('open, handshake, stats and close, in this order, for both sides', async () => {
    const said = record()
    const { address } = await server(echo)
    const session = client(address)
    const stream = await session.openStream()
    await stream.write(pattern(1000))
    await stream.end()
    await stream.bytes()
    await session.close(7, 'enough')
    expect(await eventually(() => said.filter(({ name }) => name === 'zerotrip:connection:close').length === 2)).toBe(
      true,
    )
    const ofClient = said.filter(({ message }) => message['session'] === session)
    const order = ofClient.map(({ name }) => name.split(':')[2])
    expect(order[0]).toBe('open')
    expect(order.indexOf('handshake')).toBe(1)
    expect(order.slice(-2)).toEqual(['close', 'stats'])
    expect(ofClient[0]?.message).toMatchObject({ isClient: true, remoteAddress: address })
    expect(ofClient[1]?.message).toMatchObject({ peer: { alpn: 'echo' } })
    expect(ofClient[1]?.message['handshakeTime']).toBeGreaterThan(0)
    expect(ofClient.at(-2)?.message).toMatchObject({ errorCode: 7, isApplication: true, reason: 'enough', by: 'local' })
    expect(ofClient.at(-1)?.message).toMatchObject({ statistics: { streams: { opened: 1, bytesSent: 1000 } } })
    const ofServer = said.filter(({ name, message }) => name.includes('connection') && message['session'] !== session)
    expect(ofServer.map(({ name }) => name.split(':')[2]).filter(kind => kind !== 'stats')).toEqual([
      'open',
      'handshake',
      'close',
    ])
    expect(ofServer[0]?.message).toMatchObject({ isClient: false })
    expect(ofServer.at(-2)?.message).toMatchObject({ errorCode: 7, by: 'peer' })
  })

  test('RFC 9000 §9: a path, when the client has moved', async () => {
    const said = record()
    const { address } = await server(echo)
    const session = client(address)
    await session.confirmed
    await session.migrate()
    const path = said.find(({ name, message }) => name.endsWith(':path') && message['session'] === session)
    expect(path?.message['before']).toMatchObject({ port: address.port })
    expect(path?.message['remoteAddress']).toMatchObject({ port: address.port, via: expect.any(Number) })
  })

  test('nothing is made that nobody has asked for', async () => {
    for (const name of names) expect(channel(name).hasSubscribers).toBe(false)
    const { endpoint, address } = await server(echo)
    const session = client(address)
    let asked = 0
    const { statistics } = session
    session.statistics = () => {
      asked++
      return statistics.call(session)
    }
    await session.opened
    await session.close()
    await endpoint.close()
    expect(asked).toBe(0)
  })

  test('no payload holds a key, a token, or data', async () => {
    const said = record()
    const secrets: string[] = []
    const keyLog = (_: string, __: Uint8Array, secret: Uint8Array): void =>
      void secrets.push(Buffer.from(secret).toString('hex'))
    const { address } = await server(echo)
    const session = client(address, { keyLog })
    const stream = await session.openStream()
    await stream.write('a secret of the application')
    await stream.end()
    await stream.bytes()
    await session.close()
    expect(secrets.length).toBeGreaterThan(2)
    // The handles aside: they are the objects the program has already.
    const plain = (key: string, value: unknown): unknown => {
      if (key === 'session' || key === 'endpoint') return undefined
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    }
    const payloads = JSON.stringify(said, plain)
    expect(payloads).toContain('zerotrip:connection:close')
    for (const secret of secrets) expect(payloads).not.toContain(secret)
    expect(payloads).not.toContain('a secret of the application')
    expect(payloads).not.toMatch(/token/i)
  })

  test('a subscriber that throws is an uncaught exception of the process, and no harm to the connection', async () => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const caught: Error[] = []
    process.on('uncaughtException', error => caught.push(error))
    try {
      for (const name of names) {
        on(name, () => {
          throw new Error(`from ${name}`)
        })
      }
      const { address } = await server(echo)
      const session = client(address)
      const stream = await session.openStream()
      await stream.write(pattern(50_000))
      await stream.end()
      expect((await stream.bytes()).length).toBe(50_000)
      await session.close()
      await expect(session.closed).resolves.toMatchObject({ errorCode: 0 })
      expect(await eventually(() => caught.some(error => error.message.endsWith(':close')))).toBe(true)
      expect(caught.every(error => error.message.startsWith('from zerotrip:'))).toBe(true)
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of others) process.on('uncaughtException', listener)
    }
  })
})

describe('channels and statistics of an endpoint', () => {
  test('who is let in and who is not', async () => {
    const said = record()
    let admission: 'refuse' | 'retry' | 'ignore' = 'retry'
    const { endpoint, address } = await server(echo, { admit: () => admission, versions: [QUIC_V1] })
    // Nobody says anything twice, however busy this machine is.
    const transport = { initialRtt: 10_000 }
    await client(address, { transport }).opened
    expect(endpoint.statistics()).toMatchObject({ connections: 1, accepted: 1, retriesSent: 1, refused: 0, opened: 0 })
    admission = 'refuse'
    await failure(client(address, { transport }).opened)
    admission = 'ignore'
    await failure(client(address, { handshakeTimeout: 100 }).opened)
    await failure(client(address, { versions: [QUIC_V2], transport }).opened)
    const { refused, ignored, versionNegotiationsSent, datagramsReceived, bytesReceived } = endpoint.statistics()
    expect({ refused, versionNegotiationsSent }).toEqual({ refused: 1, versionNegotiationsSent: 1 })
    expect(ignored).toBeGreaterThan(0)
    expect(datagramsReceived).toBeGreaterThan(5)
    expect(bytesReceived).toBeGreaterThan(5 * 1000)
    const messages = (name: DiagnosticsChannelName) => said.filter(each => each.name === name).map(each => each.message)
    expect(messages('zerotrip:endpoint:bind').some(each => each['endpoint'] === endpoint)).toBe(true)
    expect(messages('zerotrip:endpoint:retry')).toMatchObject([{ endpoint, remoteAddress: { host: '127.0.0.1' } }])
    expect(messages('zerotrip:endpoint:refuse').slice(0, 2)).toMatchObject([
      { reason: 'refused' },
      { reason: 'ignored' },
    ])
    expect(messages('zerotrip:endpoint:version')).toMatchObject([{ version: QUIC_V2 }])
    await endpoint.close()
    const ends = messages('zerotrip:endpoint:close').filter(each => each['endpoint'] === endpoint)
    expect(ends).toMatchObject([{ statistics: { accepted: 1, connections: 0 } }])
  })

  test('qlog: a listening endpoint has a log of what it sends outside of any connection', async () => {
    const qlog = mkdtempSync(join(tmpdir(), 'zerotrip-'))
    try {
      const { endpoint, address } = await server(echo, { qlog, admit: () => 'retry', versions: [QUIC_V1] })
      // Nobody says anything twice, however busy this machine is.
      const transport = { initialRtt: 10_000 }
      await client(address, { transport }).opened
      await failure(client(address, { versions: [QUIC_V2], transport }).opened)
      const stranger = await Stranger.at()
      const short = new Uint8Array(100)
      short.set([0x40, 1, 2, 3])
      await stranger.send(short, address)
      await stranger.send(short.subarray(0, 20), address)
      expect(await eventually(() => endpoint.statistics().dropped.unknown === 1)).toBe(true)
      await endpoint.close()
      const file = readdirSync(qlog).find(name => name.startsWith('endpoint_')) as string
      const lines = readFileSync(join(qlog, file), 'utf8').split('\u001e').filter(Boolean)
      const events = lines.map(line => JSON.parse(line) as LoggedEvent)
      const seen = events.slice(1).map(({ name, data }) => `${name} ${data.header?.packet_type ?? data.trigger ?? ''}`)
      expect(seen).toEqual([
        'quic:server_listening ',
        'quic:packet_sent retry',
        'quic:version_information ',
        'quic:packet_sent version_negotiation',
        'quic:packet_sent stateless_reset',
        'quic:packet_dropped connection_unknown',
      ])
      expect(events.slice(1).flatMap(faultsOf)).toEqual([])
    } finally {
      rmSync(qlog, { recursive: true })
    }
  })

  test('what strangers send is counted by what it is', async () => {
    const said = record()
    const { endpoint, address } = await server(echo)
    const stranger = await Stranger.at()
    const first = (byte: number, size: number): Uint8Array => {
      const bytes = new Uint8Array(size)
      bytes.set([byte, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0])
      return bytes
    }
    await stranger.send(Uint8Array.of(0x40, 1), address)
    await stranger.send(first(0xc0, 200), address)
    await stranger.send(first(0xe0, 1200), address)
    // An Initial that nobody sealed.
    const forged = first(0xc0, 1200)
    forged.set([0, 0x44, 0x80], 15)
    await stranger.send(forged, address)
    // Short headers: long enough to be answered, and not.
    await stranger.send(first(0x40, 100), address)
    await stranger.send(first(0x40, 20), address)
    expect(await eventually(() => endpoint.statistics().datagramsReceived === 6)).toBe(true)
    expect(endpoint.statistics().dropped).toMatchObject({ unreadable: 1, notInitial: 2, forged: 1, unknown: 1 })
    expect(endpoint.statistics()).toMatchObject({ resetsSent: 1, accepted: 0, connections: 0, sendErrors: 0 })
    expect(said.filter(({ name }) => name.includes(':connection:'))).toEqual([])
    expect(said.find(({ name }) => name === 'zerotrip:endpoint:reset')?.message).toMatchObject({
      remoteAddress: { port: stranger.address.port },
    })
  })

  test('it is a picture: what happens later does not change it', async () => {
    const { endpoint, address } = await server(echo)
    const before = endpoint.statistics()
    const copy = structuredClone(before)
    await client(address).opened
    expect(before).toEqual(copy)
    const stranger = await Stranger.at()
    await stranger.send(Uint8Array.of(0x40, 1), address)
    expect(await eventually(() => endpoint.statistics().dropped.unreadable === 1)).toBe(true)
    expect(before.dropped.unreadable).toBe(0)
    closing({ close: () => endpoint.close() })
  })
})
