import { expect, test } from 'vitest'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { cipherSuite } from '../../src/crypto/cipher-suite.ts'
import { openssl } from '../support/openssl.ts'

test('RFC 8446 §B.4 suites are found by their code', () => {
  for (const suite of openssl.cipherSuites) expect(cipherSuite(suite.id)).toBe(suite)
  // TLS_AES_128_CCM_8_SHA256, which RFC 9001 §5.3 excludes.
  expect(cipherSuite(0x1305)).toBeUndefined()
})

test('each backend offers every suite, the fastest first', () => {
  expect(openssl.cipherSuites.map(suite => suite.aead)[0]).toBe('aes-128-gcm')
  expect(nobleBackend.cipherSuites.map(suite => suite.aead)[0]).toBe('chacha20-poly1305')
  expect(nobleBackend.cipherSuites.map(suite => suite.id).sort()).toEqual(openssl.cipherSuites.map(s => s.id).sort())
})
