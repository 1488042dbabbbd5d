// RFC 9368 §3 and §4: what the version_information of a peer must be like.

import { describe, expect, test } from 'vitest'
import { Versions } from '../../../src/connection/versions.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { QUIC_V1, QUIC_V2 } from '../../../src/packet/version.ts'
import type { VersionInformation } from '../../../src/packet/version-information.ts'
import { bytes, concat } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer } from '../hand-made-peer.ts'

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
  function begunAgain(): Versions {
    const versions = new Versions([QUIC_V2, QUIC_V1], QUIC_V2)
    versions.beginAgain(QUIC_V1)
    return versions
  }

  test.each([
    ['nothing is said', undefined],
    ['nothing is available', { chosen: QUIC_V1, available: [] }],
    ['a version it likes better is available', { chosen: QUIC_V1, available: [QUIC_V1, QUIC_V2] }],
  ])('RFC 9368 §4: fails when %s', (_, information) => {
    expect(() => begunAgain().check(information)).toThrow(expect.objectContaining({ code: VersionNegotiationError }))
  })

  test('RFC 8999 §7, RFC 9368 §4: Version Negotiation is believed once the handshake has confirmed it', () => {
    expect(() => begunAgain().check({ chosen: QUIC_V1, available: [QUIC_V1, OTHER] })).not.toThrow()
    expect(() => begunAgain().check({ chosen: QUIC_V1, available: [OTHER] })).not.toThrow()
  })
})
