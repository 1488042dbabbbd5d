// Compressed certificates (RFC 8879).

import { brotliCompressSync, deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { nodeCompression as compression } from '../../src/endpoint/certificate-compression.ts'
import { insecureVerifier } from '../../src/tls13/certificate-policy.ts'
import { writeCertificate } from '../../src/tls13/messages/certificate.ts'
import { MAX_DECOMPRESSED } from '../../src/tls13/messages/compressed-certificate.ts'
import type { TlsClientConfig, TlsServerConfig } from '../../src/tls13/session.ts'
import { p256, x509Chain } from '../support/certificates.ts'
import { u16, vector } from './hello-parts.ts'
import { failure, message, Pipe, replacing } from './support.ts'

// The leaf is checked, the rest is ballast.
const chain = [...p256.chain, ...new Array(6).fill(x509Chain('leaf-rsa.pem')[0])]
const key = nodeBackend.privateKey(p256.keyPem)
const long = { certificates: { select: () => ({ chain, key }) }, compression }
const trusting = { verifier: insecureVerifier, compression }

function messages(client: Partial<TlsClientConfig>, server: Partial<TlsServerConfig>): string[] {
  const pipe = new Pipe(client, server).run()
  expect(pipe.complete('client').certificates).toEqual(server.certificates ? chain : p256.chain)
  return pipe.messages
}

describe('a long chain', () => {
  test.each([[1], [2]])('is compressed by algorithm %i if both sides have it', algorithm => {
    const only = { ...compression, algorithms: [algorithm] }
    const pipe = new Pipe({ ...trusting, compression: only }, long).run()
    expect(pipe.messages).toContain('s25')
    const sizes = pipe.outputs('server', 'send').map(({ bytes }) => bytes.length)
    expect(Math.max(...sizes)).toBeLessThan(writeCertificate(chain).length / 2)
    expect(pipe.complete('client').certificates).toEqual(chain)
    expect(pipe.server.isComplete).toBe(true)
  })

  test('goes as it is to a client that does not offer it, by a server that cannot, and when they share nothing', () => {
    expect(messages({ verifier: insecureVerifier }, long)).not.toContain('s25')
    expect(messages(trusting, { ...long, compression: undefined })).not.toContain('s25')
    expect(messages({ ...trusting, compression: { ...compression, algorithms: [3] } }, long)).not.toContain('s25')
  })

  test('a short one is not worth it', () => {
    expect(messages({ compression }, { compression })).not.toContain('s25')
  })
})

describe('RFC 8879 §4: what a client refuses', () => {
  const body = writeCertificate(chain).subarray(4)
  const small = brotliCompressSync(body)

  function answerTo(
    parts: { algorithm?: number; length?: number; compressed?: Uint8Array },
    client = trusting,
  ): string {
    const { algorithm = 2, length = body.length, compressed = small } = parts
    const size = compressed.length
    const made = message(25, [
      ...u16(algorithm),
      ...[length >>> 16, (length >>> 8) & 255, length & 255],
      ...[size >>> 16, (size >>> 8) & 255, size & 255],
      ...compressed,
    ])
    return failure(() => new Pipe(client, long).run(replacing(25, () => made)))
  }

  test('an algorithm that was not offered: illegal_parameter', () => {
    expect(answerTo({})).toBe('none')
    expect(answerTo({ algorithm: 3 })).toBe('IllegalParameter')
    // It decompresses; but it is not what the server has signed.
    expect(answerTo({ algorithm: 1, compressed: deflateSync(body) })).toBe('DecryptError')
  })

  test('another length than declared, above or below: bad_certificate', () => {
    for (const length of [0, 1, body.length - 1, body.length + 1]) expect(answerTo({ length })).toBe('BadCertificate')
  })

  test('what cannot be decompressed: bad_certificate', () => {
    expect(answerTo({ compressed: new Uint8Array(100).fill(0xff) })).toBe('BadCertificate')
    expect(answerTo({ compressed: small.subarray(0, 50) })).toBe('BadCertificate')
    expect(answerTo({ algorithm: 1 })).toBe('BadCertificate')
  })

  test('a bomb, before it takes memory: bad_certificate', () => {
    const bomb = brotliCompressSync(new Uint8Array(50_000_000))
    expect(bomb.length).toBeLessThan(1000)
    expect(answerTo({ compressed: bomb })).toBe('BadCertificate')
    expect(answerTo({ compressed: bomb, length: MAX_DECOMPRESSED })).toBe('BadCertificate')
    let isAsked = false
    const decompress = (): undefined => {
      isAsked = true
    }
    const client = { ...trusting, compression: { ...compression, decompress } }
    expect(answerTo({ compressed: bomb, length: MAX_DECOMPRESSED + 1 }, client)).toBe('BadCertificate')
    expect(isAsked).toBe(false)
  })

  test('faults of form within: as without compression', () => {
    const empty = Uint8Array.of(0, 0, 0, 0)
    expect(answerTo({ compressed: brotliCompressSync(empty), length: 4 })).toBe('DecodeError')
    expect(answerTo({ compressed: new Uint8Array(0) })).toBe('DecodeError')
  })

  test('one that was not offered at all: unexpected_message', () => {
    const made = message(25, [0, 2, 0, 0, 4, 0, 0, 0])
    expect(failure(() => new Pipe().run(replacing(11, () => made)))).toBe('UnexpectedMessage')
  })

  test('RFC 8446 §4.2: compress_certificate in an answer is illegal_parameter', () => {
    const withAlgorithms = (original: Uint8Array): Uint8Array => {
      const extensions = [...original.subarray(6), ...u16(27), ...vector(2, vector(1, u16(2)))]
      return message(8, vector(2, extensions))
    }
    expect(failure(() => new Pipe(trusting, long).run(replacing(8, withAlgorithms)))).toBe('IllegalParameter')
  })
})
