// RFC 9001: handshake messages and keys of a peer that do not belong where they are.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../../src/crypto/backend.ts'
import { nodeBackend } from '../../../src/crypto/backend-node.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { verifyChain } from '../../../src/tls13/certificate-policy.ts'
import { offeredPsk } from '../../../src/zero-rtt/resumption.ts'
import { provisioned } from '../../connection/early.ts'
import { testTime } from '../../support/certificates.ts'
import { clientHello, neededExtensions } from '../../tls13/hello-parts.ts'
import { bytes, concat, parameter, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, peerOf } from '../hand-made-peer.ts'

const { CryptoError, ProtocolViolation } = ErrorCode
const UNEXPECTED_MESSAGE = CryptoError + 10
const NO_APPLICATION_PROTOCOL = CryptoError + 120
const DECRYPT_ERROR = CryptoError + 51
const UNKNOWN_CA = CryptoError + 48
const PROTOCOL_VERSION = CryptoError + 70
const MISSING_EXTENSION = CryptoError + 109
const ping = bytes(FrameType.Ping)

function message(type: number, ...body: number[]): Uint8Array {
  return Uint8Array.of(type, 0, 0, body.length, ...body)
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test('RFC 9001 §4.1.3: more CRYPTO data at a level that is done with', () => {
    const peer = peerOf(role).reach('handshake')
    peer.send(Level.Initial, peer.crypto(Level.Initial, zeros(4))).expectClose(ProtocolViolation)
  })

  test('RFC 9001 §6: KeyUpdate of TLS', () => {
    const peer = peerOf(role).reach('confirmed')
    peer.send(Level.OneRtt, peer.crypto(Level.OneRtt, message(24, 0))).expectClose(UNEXPECTED_MESSAGE)
  })

  test('RFC 9001 §5.4.2: a packet too short for a sample is dropped', () => {
    const peer = peerOf(role).reach('confirmed')
    const packet = peer.packet(Level.OneRtt, ping)
    peer.expectDropped(() => peer.deliver(packet.slice(0, 1 + 8 + 19)))
  })

  test('RFC 9001 §6.2: the peer updates its keys: ours follow, before the acknowledgment', () => {
    const peer = peerOf(role).reach('confirmed').pass(100)
    const largest = peer.heard.findLast(packet => packet.level === Level.OneRtt)?.number as number
    peer.send(Level.OneRtt, concat(ping, bytes(FrameType.Ack, largest, 0, 0, 0)))
    // Acknowledges what the hand-made peer sealed, which lets it go on.
    const keys = peer.keys.oneRtt
    keys?.onAcked(1000)
    expect(keys?.initiateUpdate(peer.now)).toBe(true)
    const before = peer.heard.length
    peer.send(Level.OneRtt, ping, { number: 300 }).pass(30).expectOpen()
    expect(keys?.phase).toBe(1)
    expect(peer.heard.slice(before).flatMap(packet => packet.frames)).toContainEqual(
      expect.objectContaining({ type: FrameType.Ack, largestAcknowledged: 300 }),
    )
    expect(peer.connection.stats.packetsDropped).toBe(0)
  })

  test('RFC 9001 §6.4: after an update, newer keys under a lower number than older ones had', () => {
    const peer = peerOf(role).reach('confirmed').pass(100).send(Level.OneRtt, ping, { number: 500 })
    peer.keys.oneRtt?.onAcked(1000)
    expect(peer.keys.oneRtt?.initiateUpdate(peer.now)).toBe(true)
    peer.send(Level.OneRtt, ping, { number: 400 }).expectClose(ErrorCode.KeyUpdateError)
  })
})

describe.each(['client', 'server'] as const)('keys of a %s', role => {
  test('RFC 9001 §4.9.1: Initial packets are dropped once Handshake packets went', () => {
    const peer = peerOf(role).reach('complete')
    peer.expectDropped(() => peer.send(Level.Initial, bytes(0x21)))
  })

  test('RFC 9001 §4.9.2: Handshake packets are dropped once the handshake is confirmed', () => {
    const peer = peerOf(role).reach('confirmed')
    peer.expectDropped(() => peer.send(Level.Handshake, bytes(0x21)))
  })

  test('RFC 9001 §5.5: what looks like a key update and cannot be opened is dropped', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, ping)
    peer.expectDropped(() => peer.send(Level.OneRtt, bytes(0x21), { set: 0x04 }))
    peer.send(Level.OneRtt, ping).expectOpen()
  })
})

describe('a connection of a server', () => {
  test('RFC 9001 §8.1: no application protocol in common with the client', () => {
    new HandMadeClient({ alpn: 'other' }).reach('handshake').expectClose(NO_APPLICATION_PROTOCOL)
  })

  test('RFC 9000 §7, RFC 9001 §8.1: a client that offers no application protocol', () => {
    const peer = new HandMadeClient({ server: { alpn: ['h3'] } })
    const { alpn, ...rest } = neededExtensions(nodeBackend.keyExchange(NamedGroup.X25519).publicKey)
    expect(alpn).toBeDefined()
    const hello = clientHello({ extensions: Object.values(rest) })
    peer.send(Level.Initial, peer.crypto(Level.Initial, hello)).expectClose(NO_APPLICATION_PROTOCOL)
  })

  test('RFC 9001 §8.4: a client that asks for the compatibility mode of middleboxes', () => {
    const peer = new HandMadeClient({ server: { alpn: ['h3'] } })
    const extensions = Object.values(neededExtensions(nodeBackend.keyExchange(NamedGroup.X25519).publicKey))
    const hello = clientHello({ session: [1], extensions })
    peer.send(Level.Initial, peer.crypto(Level.Initial, hello)).expectClose(ProtocolViolation)
  })

  test('RFC 9001 §5.3: cipher suites that we do not know are no fault', () => {
    const peer = new HandMadeClient({ server: { alpn: ['h3'] } })
    const needed = neededExtensions(nodeBackend.keyExchange(NamedGroup.X25519).publicKey)
    const ids = parameter(0x0f, peer.id)
    const extensions = Object.values({ ...needed, parameters: [0x39, [...ids]] as const })
    const hello = clientHello({ suites: [0x1305, 0x1399, 0x1301], extensions })
    peer.send(Level.Initial, peer.crypto(Level.Initial, hello)).expectOpen()
    expect(peer.frames(FrameType.Crypto, Level.Initial).length).toBeGreaterThan(0)
  })

  test('RFC 9001 §4.2: a client that offers no TLS 1.3', () => {
    const peer = new HandMadeClient({ server: { alpn: ['h3'] } })
    const needed = neededExtensions(nodeBackend.keyExchange(NamedGroup.X25519).publicKey)
    const extensions = Object.values({ ...needed, versions: [43, [2, 3, 3]] as const })
    peer.send(Level.Initial, peer.crypto(Level.Initial, clientHello({ extensions }))).expectClose(PROTOCOL_VERSION)
  })

  test('RFC 9001 §8.2: no transport parameters from the client', () => {
    const peer = new HandMadeClient({ server: { alpn: ['h3'] } })
    const { parameters, ...rest } = neededExtensions(nodeBackend.keyExchange(NamedGroup.X25519).publicKey)
    expect(parameters).toBeDefined()
    const hello = clientHello({ extensions: Object.values(rest) })
    peer.send(Level.Initial, peer.crypto(Level.Initial, hello)).expectClose(MISSING_EXTENSION)
  })

  test('RFC 9001 §8.3: CRYPTO in a 0-RTT packet', () => {
    const { resumption, server } = provisioned()
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.ZeroRtt, bytes(FrameType.Crypto, 0, 4, message(5))).expectClose(ProtocolViolation)
  })

  test('RFC 9001 §8.3: EndOfEarlyData', () => {
    const { resumption, server } = provisioned()
    const peer = new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    peer.send(Level.Handshake, peer.crypto(Level.Handshake, message(5))).expectClose(UNEXPECTED_MESSAGE)
  })

  test('RFC 9001 §4.6.2: 0-RTT packets are not processed when 0-RTT was rejected', () => {
    const { resumption, server } = provisioned()
    const refusing = { ...server, earlyData: { admit: () => false } }
    const peer = new HandMadeClient({ server: refusing, psk: offeredPsk(resumption, testTime, true) })
    peer.speak(Level.Initial)
    peer.expectDropped(() => peer.send(Level.ZeroRtt, bytes(0x21)))
  })

  test('RFC 9001 §5.7: 1-RTT packets are not processed before the handshake is complete', () => {
    const peer = new HandMadeClient().reach('handshake')
    const received = peer.connection.stats.packetsReceived
    peer.send(Level.OneRtt, bytes(0x21)).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(received)
    peer.reach('complete').expectClose(ErrorCode.FrameEncodingError)
  })
})

describe('a connection of a client', () => {
  const alpn = [0, 16, 0, 7, 0, 5, 4, 0x74, 0x65, 0x73, 0x74]
  const other = [0, 16, 0, 7, 0, 5, 4, 0x54, 0x45, 0x53, 0x54]
  const parameters = [0, 0x39, 0, 0]
  const lacking: [title: string, code: number, extensions: number[]][] = [
    ['RFC 9001 §8.1: a server that chooses no application protocol', NO_APPLICATION_PROTOCOL, parameters],
    ['RFC 9001 §8.1: a server that chooses another one', NO_APPLICATION_PROTOCOL, [...other, ...parameters]],
    ['RFC 9001 §8.2: no transport parameters from the server', MISSING_EXTENSION, alpn],
  ]
  test.each(lacking)('%s', (_, code, extensions) => {
    const answer = message(8, 0, extensions.length, ...extensions)
    const tamper = (original: Uint8Array): Uint8Array => (original[0] === 8 ? answer : original)
    new HandMadeServer({ tamper }).reach('complete').expectClose(code)
  })

  test('RFC 9001 §4.2: a server that chooses an older TLS', () => {
    const tamper = (original: Uint8Array): Uint8Array => {
      const at = Buffer.from(original).indexOf(Uint8Array.of(0, 43, 0, 2, 3, 4))
      if (original[0] === 2) original[at + 5] = 3
      return original
    }
    const peer = new HandMadeServer({ tamper }).reach('handshake')
    expect(peer.close?.errorCode).toBeGreaterThan(CryptoError)
  })

  test('RFC 9001 §4.1.3: handshake data left over when the keys change', () => {
    const tamper = (original: Uint8Array): Uint8Array => (original[0] === 2 ? concat(original, zeros(4)) : original)
    new HandMadeServer({ tamper }).reach('handshake').expectClose(ProtocolViolation)
  })

  test('RFC 9001 §4.4: a server whose certificate does not check', () => {
    const tamper = (original: Uint8Array): Uint8Array => {
      if (original[0] === 15) original[original.length - 1] = (original.at(-1) as number) ^ 1
      return original
    }
    new HandMadeServer({ tamper }).reach('complete').expectClose(DECRYPT_ERROR)
    const stranger = { verifier: verifyChain(nodeBackend, []) }
    new HandMadeServer({ client: stranger }).reach('complete').expectClose(UNKNOWN_CA)
  })

  test('RFC 9001 §4.4: CertificateRequest after the handshake', () => {
    const peer = new HandMadeServer().reach('confirmed')
    const request = message(13, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3)
    peer.send(Level.OneRtt, peer.crypto(Level.OneRtt, request)).expectClose(ProtocolViolation)
  })

  test.each([0, 1, 0xfffffffe])('RFC 9001 §4.6.1: a ticket with max_early_data_size %d', size => {
    const peer = new HandMadeServer().reach('confirmed')
    const early = [0, 42, 0, 4, (size >>> 24) & 255, (size >>> 16) & 255, (size >>> 8) & 255, size & 255]
    const ticket = message(4, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 9, 0, early.length, ...early)
    peer.send(Level.OneRtt, peer.crypto(Level.OneRtt, ticket)).expectClose(ProtocolViolation)
  })

  test('RFC 9001 §5.6: 0-RTT packets are dropped', () => {
    const peer = new HandMadeServer().reach('handshake')
    // A Handshake packet but for its type.
    peer.expectDropped(() => peer.send(Level.Handshake, bytes(0x21), { set: 0x10, clear: 0x20 }))
  })

  test('RFC 9001 §5.7: 1-RTT packets are not processed before the handshake is complete, by a client', () => {
    const peer = new HandMadeServer().reach('handshake')
    const received = peer.connection.stats.packetsReceived
    peer.send(Level.OneRtt, bytes(0x21)).expectOpen()
    expect(peer.connection.stats.packetsReceived).toBe(received)
    peer.reach('complete').expectClose(ErrorCode.FrameEncodingError)
  })

  test('RFC 9001 §5.8: a Retry under the tag of another connection is dropped', () => {
    const peer = new HandMadeServer()
    const packet = new HandMadeServer().retryPacket(zeros(3))
    packet.set(peer.destination, 6)
    peer.expectDropped(() => peer.deliver(packet))
  })
})
