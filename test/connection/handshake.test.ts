import { describe, expect, test } from 'vitest'
import { MAX_TICKETS } from '../../src/connection/handshake.ts'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { singleCertificate, verifyChain } from '../../src/tls13/certificate-policy.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { Pair } from '../sim/pair.ts'
import { ed25519, p256, rsa, x509Chain } from '../support/certificates.ts'
import { certified } from '../tls13/support.ts'
import { closedWith, frames, OpenPair, Transfer } from './support.ts'

describe('a handshake', () => {
  test('with certificates is confirmed on both sides', () => {
    const pair = new Pair().connect()
    expect(pair.client.find('handshakeComplete')?.peer).toMatchObject({
      alpn: 'test',
      isResumed: false,
      earlyData: 'none',
    })
    expect(pair.server.find('handshakeComplete')?.peer).toMatchObject({ alpn: 'test', serverName: 'localhost' })
    expect(pair.client.connection.peer?.certificates.length).toBeGreaterThan(0)
  })

  test.each([['rsa', rsa] as const, ['ed25519', ed25519] as const])('with a certificate of %s', (_, identity) => {
    new Pair({ server: { certificates: singleCertificate(certified(identity)) } }).connect()
  })

  test('both sides export the same keying material, and nobody before the end (RFC 8446 §7.5)', () => {
    const pair = new Pair().start()
    expect(() => pair.client.connection.exportKeyingMaterial('EXPORTER-x', new Uint8Array(0), 32)).toThrow()
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    const [a, b] = [pair.client, pair.server].map(host =>
      host.connection.exportKeyingMaterial('EXPORTER-x', new Uint8Array(2), 32),
    )
    expect(a).toEqual(b)
  })

  test('RFC 8446 §4.1.4: a HelloRetryRequest costs one round trip', () => {
    const groups = [NamedGroup.P256, NamedGroup.X25519]
    const pair = new Pair({ client: { groups }, server: { groups: [NamedGroup.X25519] } }).connect()
    expect(pair.client.connection.peer?.group).toBe('X25519')
    expect(pair.server.find('handshakeComplete')).toBeDefined()
  })

  test('RFC 9000 §8.1: a chain of certificates larger than three datagrams waits for the client', () => {
    // The leaf is checked, the rest is ballast.
    const chain = [...p256.chain, ...Array.from({ length: 12 }, () => x509Chain('leaf-rsa.pem')[0] as Uint8Array)]
    const key = nodeBackend.privateKey(p256.keyPem)
    const open = new OpenPair({ server: { certificates: singleCertificate({ chain, key }) } })
    const excess: number[] = []
    const { server } = open
    const send = server.send.bind(server)
    server.send = (datagram, to) => {
      if (!server.connection.isAddressValidated) excess.push(server.sentBytes + datagram.length - 3 * server.received)
      send(datagram, to)
    }
    open.connect()
    expect(open.logs.server.frames(FrameType.Crypto).reduce((sum, { data }) => sum + data.length, 0)).toBeGreaterThan(
      8000,
    )
    expect(Math.max(...excess)).toBeLessThanOrEqual(0)
    expect(open.world.now).toBeLessThan(100)
  })

  test('no common application protocol ends it with the alert (RFC 9001 §8.1)', () => {
    const pair = new Pair({ client: { alpn: ['other'] } }).start()
    pair.world.run(() => pair.client.has('closed'), 5000)
    expect([closedWith(pair.client), closedWith(pair.server)]).toEqual([0x178, 0x178])
    expect(pair.client.find('closed')?.by).toBe('peer')
  })

  test('a certificate nobody trusts ends it with the alert (RFC 9001 §4.8)', () => {
    const pair = new Pair({ client: { verifier: verifyChain(nodeBackend, []) } }).start()
    pair.world.run(() => pair.server.has('closed'), 5000)
    expect(closedWith(pair.client)).toBe(0x130)
    expect(pair.client.find('closed')?.by).toBe('local')
    expect(closedWith(pair.server)).toBe(0x130)
  })
})

describe('loss in the handshake (RFC 9002 §6.2)', () => {
  // Which datagrams of which direction are lost.
  const cases: [string, number[], number[]][] = [
    ['the ClientHello', [0], []],
    ["the server's first datagram", [], [0]],
    ["the server's second datagram", [], [1]],
    ['the whole first flight of the server', [], [0, 1, 2, 3]],
    ["the client's Finished", [1], []],
    ["the client's second flight", [1, 2, 3], []],
    ['HANDSHAKE_DONE', [], [3, 4, 5]],
    ['the first three datagrams of both', [0, 1, 2], [0, 1, 2]],
  ]
  test.each(cases)('%s', (_, toServer, toClient) => {
    const pair = new Pair({
      toServer: { drop: index => toServer.includes(index) },
      toClient: { drop: index => toClient.includes(index) },
    }).connect()
    expect(pair.world.now).toBeLessThan(10_000)
    expect(new Transfer(pair, 5000, 5000).begin().run(60_000)).toBe(true)
  })

  test('every second datagram of both directions', () => {
    const drop = (index: number): boolean => index % 2 === 0
    const pair = new Pair({ link: { drop } }).connect()
    expect(new Transfer(pair, 5000, 5000).begin().run(120_000)).toBe(true)
  })

  test('RFC 9002 §6.2.2.1: a client speaks up when the server is blocked and its own data is acknowledged', () => {
    const chain = [...p256.chain, ...Array.from({ length: 12 }, () => x509Chain('leaf-rsa.pem')[0] as Uint8Array)]
    const key = nodeBackend.privateKey(p256.keyPem)
    const certificates = singleCertificate({ chain, key })
    // All that the server may send at first arrives but the last; the ACKs of the client are lost.
    const drop = (index: number): boolean => index === 1 || index === 2 || index === 3
    const pair = new Pair({ server: { certificates }, toServer: { drop } }).connect()
    expect(pair.client.has('handshakeConfirmed')).toBe(true)
  })
})

describe('padding (RFC 9000 §14.1)', () => {
  test('every datagram with an Initial of the client, and ack-eliciting ones of the server, fills 1,200 bytes', () => {
    const pair = new OpenPair().connect()
    const initials = (datagrams: readonly Uint8Array[]): number[] =>
      datagrams.filter(datagram => ((datagram[0] as number) & 0xb0) === 0x80).map(datagram => datagram.length)
    expect(Math.min(...initials(pair.client.sent))).toBe(1200)
    expect(initials(pair.server.sent)[0]).toBe(1200)
  })

  test('a server ignores an Initial in a smaller datagram', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(11)
    const before = pair.server.connection.stats.packetsReceived
    pair.inject('client', Level.Initial, Uint8Array.of(FrameType.Ping), { padTo: 1199 })
    expect(pair.server.connection.stats.packetsReceived).toBe(before)
    pair.inject('client', Level.Initial, Uint8Array.of(FrameType.Ping))
    expect(pair.server.connection.stats.packetsReceived).toBe(before + 1)
  })
})

describe('what may be in which packet (RFC 9000 §12.4, §19.20; security: frames by role and level)', () => {
  test('HANDSHAKE_DONE from a client', () => {
    const pair = new OpenPair().connect()
    pair.inject('client', Level.OneRtt, Uint8Array.of(FrameType.HandshakeDone))
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('NEW_TOKEN from a client (RFC 9000 §19.7)', () => {
    const pair = new OpenPair().connect()
    pair.inject('client', Level.OneRtt, Uint8Array.of(FrameType.NewToken, 1, 7))
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('a STREAM frame in an Initial', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(11)
    pair.inject('client', Level.Initial, Uint8Array.of(FrameType.Stream, 0, 1))
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('reserved bits in a header (RFC 9000 §17.2, §17.3.1)', () => {
    const pair = new OpenPair().connect()
    pair.inject('server', Level.OneRtt, Uint8Array.of(FrameType.Ping), { firstByte: 0x18 })
    expect(closedWith(pair.client)).toBe(ErrorCode.ProtocolViolation)
  })

  test('an Initial of the server with a token is dropped (RFC 9000 §17.2.2)', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(11)
    pair.inject('server', Level.Initial, Uint8Array.of(FrameType.Stream, 0, 1), { token: Uint8Array.of(1) })
    expect(pair.client.has('closed')).toBe(false)
    pair.inject('server', Level.Initial, Uint8Array.of(FrameType.Stream, 0, 1))
    expect(closedWith(pair.client)).toBe(ErrorCode.ProtocolViolation)
  })

  test('a packet with another source id than before is dropped (RFC 9000 §7.2)', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.pass(25)
    const datagram = pair.forge('client', Level.Initial, Uint8Array.of(FrameType.Stream, 0, 1))
    const sourceAt = 7 + (datagram[5] as number)
    datagram[sourceAt] = (datagram[sourceAt] as number) ^ 1
    pair.server.receive(datagram, pair.client.address)
    expect(pair.server.has('closed')).toBe(false)
  })
})

test('security: CRYPTO data far ahead closes with CRYPTO_BUFFER_EXCEEDED, at every level and after the handshake', () => {
  const ahead = frames(w => {
    w.u8(FrameType.Crypto)
    w.varint(200_000)
    w.varint(10)
    w.zeros(10)
  })
  for (const level of [Level.Initial, Level.Handshake, Level.OneRtt] as const) {
    const pair = new OpenPair({ link: { delay: 10 } })
    pair.start()
    pair.world.pass({ [Level.Initial]: 11, [Level.Handshake]: 21, [Level.OneRtt]: 100 }[level])
    pair.inject('server', level, ahead)
    expect(closedWith(pair.client), `level ${level}`).toBe(ErrorCode.CryptoBufferExceeded)
  }
})

test('security: a flood of tickets is cut off', () => {
  const tickets = new TicketSealer(nodeBackend)
  const pair = new Pair({ server: { tickets, ticketCount: 40 } }).connect()
  pair.world.pass(1000)
  expect(pair.client.events.filter(event => event.type === 'ticket').length).toBe(MAX_TICKETS)
  expect(pair.client.has('closed')).toBe(false)
})
