// What a client says to a server that breaks the rules: exact alerts.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { Level } from '../../src/packet/level.ts'
import { insecureVerifier } from '../../src/tls13/certificate-policy.ts'
import { CLIENT_MESSAGE_LIMIT } from '../../src/tls13/framing.ts'
import { MAX_CHAIN_LENGTH, writeCertificate } from '../../src/tls13/messages/certificate.ts'
import { writeEncryptedExtensions } from '../../src/tls13/messages/encrypted-extensions.ts'
import { startClient, type TlsClientConfig, type TlsServerConfig } from '../../src/tls13/session.ts'
import { p256, rsa, testTime } from '../support/certificates.ts'
import { answerAsServer } from './by-hand.ts'
import {
  certified,
  clientConfig,
  drain,
  failure,
  message,
  type Output,
  Pipe,
  replacing,
  serverParameters,
} from './support.ts'

const x25519 = [0x00, 0x1d, 0x00, 0x20, ...new Uint8Array(32).fill(9)]
const version = [0, 43, 0, 2, 3, 4]

interface HelloParts {
  random?: readonly number[]
  session?: readonly number[]
  suite?: number
  compression?: number
  extensions?: readonly (readonly number[])[] | undefined
  tail?: readonly number[]
}

const share = [0, 51, 0, 36, ...x25519]

function serverHello(parts: HelloParts = {}): Uint8Array {
  const { random = new Array(32).fill(5), session = [], suite = 0x1301, compression = 0, tail = [] } = parts
  const extensions = ('extensions' in parts ? parts.extensions : [version, share])?.flat()
  const block = extensions === undefined ? [] : [extensions.length >>> 8, extensions.length & 255, ...extensions]
  return message(2, [
    3,
    3,
    ...random,
    session.length,
    ...session,
    suite >>> 8,
    suite & 255,
    compression,
    ...block,
    ...tail,
  ])
}

const psk = {
  kind: 'external',
  identity: Uint8Array.of(1),
  secret: new Uint8Array(32),
  hash: 'sha256',
  obfuscatedAge: 0,
  earlyData: undefined,
} as const

describe('ServerHello (RFC 8446 §4.1.3)', () => {
  const fails = (parts: HelloParts, changes: Partial<TlsClientConfig> = {}) => {
    const session = startClient(clientConfig(changes), testTime)
    return failure(() => session.receive(Level.Initial, serverHello(parts), testTime))
  }

  test('a good one leads to handshake keys', () => {
    const session = startClient(clientConfig(), testTime)
    session.receive(Level.Initial, serverHello(), testTime)
    expect(drain(session).map(output => output.type)).toEqual(['send', 'secret', 'secret'])
  })

  test('versions', () => {
    expect(fails({ extensions: undefined })).toBe('ProtocolVersion')
    expect(fails({ extensions: [share] })).toBe('ProtocolVersion')
    expect(fails({ extensions: [[0, 43, 0, 2, 3, 3], share] })).toBe('IllegalParameter')
    expect(fails({ extensions: [[0, 43, 0, 3, 3, 4, 0], share] })).toBe('DecodeError')
    const downgrade = (last: number) => [...new Array(24).fill(1), 0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last]
    expect(fails({ random: downgrade(0), extensions: undefined })).toBe('IllegalParameter')
    expect(fails({ random: downgrade(1), extensions: [share] })).toBe('IllegalParameter')
    expect(fails({ random: downgrade(2), extensions: [share] })).toBe('ProtocolVersion')
  })

  test('legacy fields', () => {
    expect(fails({ session: [1] })).toBe('IllegalParameter')
    expect(fails({ session: new Array(33).fill(1) })).toBe('DecodeError')
    expect(fails({ compression: 1 })).toBe('IllegalParameter')
    expect(fails({ tail: [0] })).toBe('DecodeError')
  })

  test('suites', () => {
    expect(fails({ suite: 0x1304 })).toBe('IllegalParameter')
    expect(fails({ suite: 0x1302 }, { cipherSuites: [TLS_AES_128_GCM_SHA256] })).toBe('IllegalParameter')
  })

  test('extensions', () => {
    expect(fails({ extensions: [version, share, share] })).toBe('IllegalParameter')
    expect(fails({ extensions: [version, share, [0xfa, 0xfa, 0, 0]] })).toBe('UnsupportedExtension')
    expect(fails({ extensions: [version, share, [0, 16, 0, 0]] })).toBe('IllegalParameter')
    expect(fails({ extensions: [version, share, [0, 44, 0, 3, 0, 1, 1]] })).toBe('UnsupportedExtension')
  })

  test('key shares', () => {
    expect(fails({ extensions: [version] })).toBe('MissingExtension')
    expect(fails({ extensions: [version, [0, 51, 0, 5, 0, 0x17, 0, 1, 4]] })).toBe('IllegalParameter')
    expect(fails({ extensions: [version, [0, 51, 0, 5, 0, 0x1d, 0, 1, 4]] })).toBe('IllegalParameter')
    expect(fails({ extensions: [version, [0, 51, 0, 4, 0, 0x1d, 0, 0]] })).toBe('DecodeError')
    // RFC 8446 §7.4.2: the point of small order, whose secret is all zeros.
    const zeros = [0, 51, 0, 36, 0, 0x1d, 0, 0x20, ...new Uint8Array(32)]
    expect(fails({ extensions: [version, zeros] })).toBe('IllegalParameter')
    const offCurve = [0, 51, 0, 69, 0, 0x17, 0, 65, 4, ...new Uint8Array(64).fill(1)]
    expect(fails({ extensions: [version, offCurve] }, { groups: [NamedGroup.P256] })).toBe('IllegalParameter')
  })

  test('PSKs (RFC 8446 §4.2.11)', () => {
    const chosen = (index: number) => [0, 41, 0, 2, 0, index]
    expect(fails({ extensions: [version, share, chosen(0)] })).toBe('UnsupportedExtension')
    expect(fails({ extensions: [version, share, chosen(0)] }, { psk })).toBe('none')
    expect(fails({ extensions: [version, share, chosen(1)] }, { psk })).toBe('IllegalParameter')
    expect(fails({ extensions: [version, chosen(0)] }, { psk })).toBe('IllegalParameter')
    expect(fails({ suite: 0x1302, extensions: [version, share, chosen(0)] }, { psk })).toBe('IllegalParameter')
  })
})

/** Replaces one message of the server's flight. */
function flightFails(
  type: number,
  replace: (original: Uint8Array) => Uint8Array | readonly Uint8Array[],
  client: Partial<TlsClientConfig> = {},
  server: Partial<TlsServerConfig> = {},
): string {
  return failure(() => new Pipe(client, server).run(replacing(type, replace)))
}

describe('EncryptedExtensions (RFC 8446 §4.3.1)', () => {
  const alpn = [0, 16, 0, 5, 0, 3, 2, 0x68, 0x33]
  const parameters = [0, 0x39, 0, 0]
  const fails = (...extensions: number[][]) => {
    const block = extensions.flat()
    return flightFails(8, () => message(8, [block.length >>> 8, block.length & 255, ...block]))
  }

  test('what must be there', () => {
    expect(fails(parameters)).toBe('NoApplicationProtocol')
    expect(fails(alpn)).toBe('MissingExtension')
  })

  test('protocols (RFC 7301 §3.1, RFC 9001 §8.1)', () => {
    expect(fails([0, 16, 0, 5, 0, 3, 2, 0x68, 0x32], parameters)).toBe('NoApplicationProtocol')
    expect(fails([0, 16, 0, 8, 0, 6, 2, 0x68, 0x33, 2, 0x68, 0x32], parameters)).toBe('IllegalParameter')
    expect(fails([0, 16, 0, 2, 0, 0], parameters)).toBe('DecodeError')
    expect(fails([0, 16, 0, 3, 0, 1, 0], parameters)).toBe('DecodeError')
  })

  test('what must not be there', () => {
    expect(fails(alpn, parameters, [0, 42, 0, 0])).toBe('UnsupportedExtension')
    expect(fails(alpn, parameters, [0xfa, 0xfa, 0, 0])).toBe('UnsupportedExtension')
    expect(fails(alpn, parameters, share)).toBe('IllegalParameter')
    expect(fails(alpn, parameters, version)).toBe('IllegalParameter')
    expect(fails(alpn, alpn, parameters)).toBe('IllegalParameter')
    expect(fails(alpn, parameters, [0, 0, 0, 1, 0])).toBe('DecodeError')
  })

  test('form', () => {
    expect(flightFails(8, () => message(8, []))).toBe('DecodeError')
    expect(flightFails(8, () => message(8, [0, 0, 0]))).toBe('DecodeError')
    expect(flightFails(8, () => message(8, [0, 4, 0, 16]))).toBe('DecodeError')
  })

  test('RFC 8446 §4.2.10: early data accepted without its PSK, or with another suite or protocol', () => {
    const terms = { cipherSuite: 0x1301, alpn: 'h3', serverName: undefined, transportParameters: new Uint8Array(0) }
    const accepting = (protocol: string) => () =>
      writeEncryptedExtensions({
        alpn: protocol,
        transportParameters: serverParameters,
        isEarlyDataAccepted: true,
        isNameAcknowledged: false,
      })
    const offered = { psk: { ...psk, earlyData: terms } }
    expect(flightFails(8, accepting('h3'), offered)).toBe('IllegalParameter')
    const session = (suite: number, protocol: string) => {
      const client = startClient(clientConfig({ ...offered, alpn: ['h3', 'hq'] }), testTime)
      client.receive(Level.Initial, serverHello({ suite, extensions: [version, share, [0, 41, 0, 2, 0, 0]] }), testTime)
      return failure(() => client.receive(Level.Handshake, accepting(protocol)(), testTime))
    }
    expect(session(0x1303, 'h3')).toBe('IllegalParameter')
    expect(session(0x1301, 'hq')).toBe('IllegalParameter')
    expect(session(0x1301, 'h3')).toBe('none')
  })
})

describe('Certificate and CertificateVerify (RFC 8446 §4.4.2, §4.4.3)', () => {
  const leaf = p256.chain[0] as Uint8Array

  test('form of the chain', () => {
    expect(flightFails(11, () => writeCertificate([]))).toBe('DecodeError')
    expect(flightFails(11, () => message(11, [1, 7, 0, 0, 0]))).toBe('IllegalParameter')
    expect(flightFails(11, () => message(11, [0, 0, 0, 5, 0, 0, 0, 0, 0]))).toBe('DecodeError')
    expect(flightFails(11, () => message(11, [0, 0, 0, 9]))).toBe('DecodeError')
    expect(flightFails(11, original => message(11, [...original.subarray(4), 0]))).toBe('DecodeError')
    expect(flightFails(11, () => writeCertificate(new Array(MAX_CHAIN_LENGTH + 1).fill(leaf)))).toBe('IllegalParameter')
  })

  test('extensions of a certificate: we ask for none', () => {
    const withExtension = (...bytes: number[]) =>
      message(11, [0, 0, 0, 6 + bytes.length, 0, 0, 1, 7, 0, bytes.length, ...bytes])
    expect(flightFails(11, () => withExtension(0, 5, 0, 0))).toBe('UnsupportedExtension')
    expect(flightFails(11, () => withExtension(0, 16, 0, 0))).toBe('IllegalParameter')
  })

  test('a leaf that is not a certificate', () => {
    expect(flightFails(11, () => writeCertificate([Uint8Array.of(1, 2, 3)]))).toBe('BadCertificate')
  })

  test("somebody else's certificate does not go with the signature", () => {
    expect(flightFails(11, () => writeCertificate(rsa.chain))).toBe('DecryptError')
  })

  test('a signature that is wrong, or of a scheme that was not offered', () => {
    const flipped = (at: number) => (original: Uint8Array) => {
      const copy = original.slice()
      copy[copy.length + at] = (copy[copy.length + at] as number) ^ 1
      return copy
    }
    expect(flightFails(15, flipped(-1))).toBe('DecryptError')
    expect(flightFails(15, () => message(15, [0x02, 0x03, 0, 0]))).toBe('IllegalParameter')
    expect(flightFails(15, () => message(15, [0x04, 0x01, 0, 0]))).toBe('IllegalParameter')
    expect(flightFails(15, () => message(15, [0x04, 0x03, 0, 9]))).toBe('DecodeError')
    expect(flightFails(15, () => message(15, [0x04, 0x03, 0, 0]))).toBe('DecryptError')
    // A scheme that was offered, but of another kind of key.
    expect(flightFails(15, original => message(15, [0x08, 0x04, ...original.subarray(6)]))).toBe('DecryptError')
  })

  test('the signature is checked before the chain', () => {
    const verify = () => {
      throw new Error('asked too early')
    }
    expect(flightFails(15, () => message(15, [0x04, 0x03, 0, 0]), { verifier: { verify } })).toBe('DecryptError')
  })
})

describe('Finished (RFC 8446 §4.4.4)', () => {
  test('wrong, too long, too short', () => {
    expect(flightFails(20, () => message(20, new Uint8Array(32)))).toBe('DecryptError')
    expect(flightFails(20, () => message(20, new Uint8Array(33)))).toBe('DecodeError')
    expect(flightFails(20, () => message(20, []))).toBe('DecodeError')
  })
})

describe('order of messages (RFC 8446 Appendix A.1)', () => {
  test('each state takes one message and no other', () => {
    const other = message(24, [0])
    for (const type of [2, 8, 11, 15, 20]) expect(flightFails(type, () => other)).toBe('UnexpectedMessage')
    expect(flightFails(8, original => [original, original])).toBe('UnexpectedMessage')
    expect(flightFails(11, () => [])).toBe('UnexpectedMessage')
    expect(flightFails(15, () => [])).toBe('UnexpectedMessage')
  })

  test('RFC 9001 §4.1.3: data of another level, or behind the last message of one', () => {
    const session = () => startClient(clientConfig(), testTime)
    for (const level of [Level.ZeroRtt, Level.Handshake, Level.OneRtt]) {
      expect(failure(() => session().receive(level, serverHello(), testTime))).toBe('transport 0xa')
    }
    expect(failure(() => session().receive(Level.Initial, Uint8Array.from([...serverHello(), 1]), testTime))).toBe(
      'transport 0xa',
    )
    expect(flightFails(20, original => Uint8Array.from([...original, 4]))).toBe('transport 0xa')
    const pipe = new Pipe().run()
    expect(failure(() => pipe.client.receive(Level.Handshake, Uint8Array.of(4), testTime))).toBe('transport 0xa')
  })

  test('RFC 9000 §7.5: a message longer than 64 KiB', () => {
    const header = (length: number) => Uint8Array.of(11, length >>> 16, length >>> 8, length)
    expect(flightFails(11, () => header(CLIENT_MESSAGE_LIMIT - 4))).toBe('none')
    expect(flightFails(11, () => header(CLIENT_MESSAGE_LIMIT - 3))).toBe('transport 0xd')
  })
})

describe('CertificateRequest (RFC 8446 §4.3.2)', () => {
  const request = message(13, [0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3])
  const encryptedExtensions = writeEncryptedExtensions({
    alpn: 'h3',
    transportParameters: serverParameters,
    isEarlyDataAccepted: false,
    isNameAcknowledged: true,
  })
  const answer = (...extra: Uint8Array[]) => {
    const client = startClient(clientConfig({ verifier: insecureVerifier }), testTime)
    return answerAsServer(client, { certified: certified(p256), encryptedExtensions, extra })
  }

  test('RFC 8446 §4.4.2: answered with an empty Certificate, then Finished', () => {
    const sent = answer(request).filter((output): output is Output<'send'> => output.type === 'send')
    expect(sent.map(output => output.bytes[0])).toEqual([11, 20])
    expect(sent[0]?.bytes).toEqual(message(11, [0, 0, 0, 0]))
  })

  test('without it there is none', () => {
    const sent = answer().filter((output): output is Output<'send'> => output.type === 'send')
    expect(sent.map(output => output.bytes[0])).toEqual([20])
  })

  test('exact alerts', () => {
    const fails = (...extra: Uint8Array[]) => failure(() => answer(...extra))
    expect(fails(request, request)).toBe('UnexpectedMessage')
    expect(fails(message(13, [1, 9, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3]))).toBe('IllegalParameter')
    expect(fails(message(13, [0, 0, 4, 0xfa, 0xfa, 0, 0]))).toBe('MissingExtension')
    expect(fails(message(13, [0, 0, 6, 0, 13, 0, 2, 0, 0]))).toBe('DecodeError')
    expect(fails(message(13, [0, 0, 0, 0]))).toBe('DecodeError')
  })

  test('not when a PSK is used', () => {
    const client = startClient(clientConfig({ psk }), testTime)
    client.receive(Level.Initial, serverHello({ extensions: [version, share, [0, 41, 0, 2, 0, 0]] }), testTime)
    client.receive(Level.Handshake, encryptedExtensions, testTime)
    expect(failure(() => client.receive(Level.Handshake, request, testTime))).toBe('UnexpectedMessage')
  })

  test('RSA signs with PSS alone', () => {
    const client = startClient(clientConfig({ verifier: insecureVerifier }), testTime)
    const flight = { certified: certified(rsa), encryptedExtensions, scheme: 0x0401 }
    expect(failure(() => answerAsServer(client, flight))).toBe('IllegalParameter')
  })
})
