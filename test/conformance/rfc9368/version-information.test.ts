// RFC 9368 §3 and §4: what the version_information of a peer must be like.

import { describe, expect, test } from 'vitest'
import { Writer } from '../../../src/bytes/writer.ts'
import { Versions } from '../../../src/connection/versions.ts'
import { type PacketHeader, readHeader } from '../../../src/packet/header.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { QUIC_V1, QUIC_V2, writeVersionNegotiation } from '../../../src/packet/version.ts'
import type { VersionInformation } from '../../../src/packet/version-information.ts'
import { bytes, concat } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, type PeerOptions } from '../hand-made-peer.ts'

const { TransportParameterError, VersionNegotiationError } = ErrorCode
const OTHER = 0xff00001d

/** The parameter as bytes behind all others. */
function raw(...value: number[]): { rawParameters: (encoded: Uint8Array) => Uint8Array } {
  return { rawParameters: encoded => concat(encoded, bytes(0x11, value.length, Uint8Array.from(value))) }
}

function stating(chosen: number, ...available: number[]): { parameters: { versionInformation: VersionInformation } } {
  return { parameters: { versionInformation: { chosen, available } } }
}

const malformed: [title: string, value: number[]][] = [
  ['no byte', []],
  ['three bytes', [0, 0, 1]],
  ['six bytes', [0, 0, 0, 1, 0, 0]],
  ['a chosen version of zero', [0, 0, 0, 0, 0, 0, 0, 0]],
  ['an available version of zero', [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]],
]

describe('a connection of a server', () => {
  test.each(malformed)('RFC 9368 §4: %s cannot be parsed', (_, value) => {
    new HandMadeClient(raw(...value)).reach('handshake').expectClose(TransportParameterError)
  })

  test('RFC 9368 §4: a chosen version that is not available cannot be parsed', () => {
    new HandMadeClient(stating(QUIC_V1, QUIC_V2)).reach('handshake').expectClose(TransportParameterError)
  })

  test('RFC 9368 §4: another chosen version than that of the packets', () => {
    new HandMadeClient(stating(QUIC_V2, QUIC_V2, QUIC_V1)).reach('handshake').expectClose(VersionNegotiationError)
  })

  test('RFC 9368 §4: without it the handshake goes on, and so it does with versions nobody knows (§3)', () => {
    new HandMadeClient().reach('complete').expectOpen()
    new HandMadeClient(stating(QUIC_V1, OTHER, 0x1a2a3a4a, QUIC_V1)).reach('complete').expectOpen()
  })
})

describe('a server that is sent Version Negotiation', () => {
  test.each(['initial', 'handshake', 'complete'] as const)('RFC 9368 §2.1: ignores it (%s)', stage => {
    const peer = new HandMadeClient().reach(stage)
    const writer = Writer.allocate(1200)
    writeVersionNegotiation(writer, peer.destination, peer.id, [QUIC_V2], 0)
    peer.expectDropped(() => peer.deliver(writer.finish().slice()))
  })
})

describe('a connection of a client', () => {
  test.each(malformed)('RFC 9368 §4: %s cannot be parsed', (_, value) => {
    new HandMadeServer(raw(...value)).reach('complete').expectClose(TransportParameterError)
  })

  test('RFC 9368 §4: a chosen version that the client does not offer', () => {
    new HandMadeServer(stating(QUIC_V2, QUIC_V1)).reach('complete').expectClose(VersionNegotiationError)
  })

  test('RFC 9368 §4: a chosen version that it offers, but the packets do not have', () => {
    const client = { versions: [QUIC_V1, QUIC_V2] }
    new HandMadeServer({ client, ...stating(QUIC_V2, QUIC_V1) }).reach('complete').expectClose(VersionNegotiationError)
  })

  test('RFC 9368 §4: without it, without any available, and with unknown ones the handshake goes on', () => {
    for (const options of [{}, stating(QUIC_V1), stating(QUIC_V1, OTHER, 0x1a2a3a4a)]) {
      new HandMadeServer(options).reach('confirmed').expectOpen()
    }
  })

  test('RFC 9369 §4.1: after a CRYPTO frame packets of another version are dropped', () => {
    const peer = new HandMadeServer({ client: { versions: [QUIC_V1, QUIC_V2] } }).reach('handshake')
    peer.keys.setVersion(QUIC_V2)
    peer.expectDropped(() => peer.send(Level.Initial, bytes(1), { version: QUIC_V2 }))
  })
})

describe('a client that has reacted to a Version Negotiation packet (RFC 9368 §4)', () => {
  /** The first Initial of the client, of version 2, is answered by what a server of version 1 says. */
  function begunAgain(options: PeerOptions = {}): HandMadeServer {
    const peer = new HandMadeServer({ client: { versions: [QUIC_V2, QUIC_V1] }, onlyVersion: QUIC_V1, ...options })
    const first = peer.datagrams[0]?.bytes as Uint8Array
    const { source, destination } = readHeader(first, 0, 8) as PacketHeader
    const writer = Writer.allocate(1200)
    writeVersionNegotiation(writer, source, destination, [QUIC_V1], 0)
    return peer.deliver(writer.finish().slice())
  }

  test.each([
    ['nothing is available', stating(QUIC_V1)],
    ['a version it likes better is available', stating(QUIC_V1, QUIC_V1, QUIC_V2)],
    ['another version is chosen', stating(QUIC_V2, QUIC_V1)],
    ['a version is chosen that nobody knows', stating(OTHER, QUIC_V1)],
  ])('RFC 9368 §4: closes when %s', (_, options) => {
    begunAgain(options).reach('complete').expectClose(VersionNegotiationError)
  })

  test('RFC 9368 §4: fails when nothing is said, but by a server of version 1', () => {
    const versions = new Versions([QUIC_V1, QUIC_V2], QUIC_V1)
    versions.beginAgain(QUIC_V2)
    expect(() => versions.check(undefined)).toThrow(expect.objectContaining({ code: VersionNegotiationError }))
  })

  test('RFC 9368 §8: takes a server that says nothing for a server that only knows version 1', () => {
    begunAgain().reach('confirmed').expectOpen()
  })

  test('RFC 8999 §7, RFC 9368 §4: Version Negotiation is believed once the handshake has confirmed it', () => {
    begunAgain(stating(QUIC_V1, QUIC_V1, OTHER))
      .reach('confirmed')
      .expectOpen()
    begunAgain(stating(QUIC_V1, OTHER)).reach('confirmed').expectOpen()
  })
})
