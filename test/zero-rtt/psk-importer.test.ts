import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  importedSecret,
  importPsk,
  readImportedIdentity,
  writeImportedIdentity,
} from '../../src/zero-rtt/psk-importer.ts'
import { bytesOf } from './support.ts'

const external = {
  externalIdentity: bytesOf('worker-7'),
  epsk: new Uint8Array(32).fill(0x42),
  context: Uint8Array.of(1, 2, 3),
  hash: 'sha256',
} as const

const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha256', key).update(data).digest()

describe('RFC 9258 §5.1', () => {
  test('the identity is the ImportedIdentity, byte for byte', () => {
    const { identity } = importPsk(nodeBackend, external)
    expect(toHex(identity)).toBe(toHex(fromHex('0008 776f726b65722d37 0003 010203 0304 0001')))
  })

  test('target_kdf follows the hash of the cipher suite', () => {
    const { identity, secret } = importPsk(nodeBackend, { ...external, hash: 'sha384' })
    expect(toHex(identity.subarray(-4))).toBe('03040002')
    expect(secret.length).toBe(48)
  })

  test('ipskx = HKDF-Expand-Label(HKDF-Extract(0, epsk), "derived psk", Hash(ImportedIdentity), L)', () => {
    const { identity, secret } = importPsk(nodeBackend, external)
    // Written out by hand with HMAC alone: one block of HKDF-Expand.
    const epskx = hmac(new Uint8Array(32), external.epsk)
    const context = nodeBackend.hash('sha256', identity)
    const label = bytesOf('tls13 derived psk')
    const info = Buffer.concat([fromHex('0020'), Uint8Array.of(label.length), label, Uint8Array.of(32), context])
    expect(toHex(secret)).toBe(toHex(hmac(epskx, Buffer.concat([info, Uint8Array.of(1)]))))
  })

  test('the HKDF hash is that of the external PSK, not of the target', () => {
    const own = importPsk(nodeBackend, { ...external, epskHash: 'sha384' })
    expect(own.secret.length).toBe(32)
    expect(toHex(own.secret)).not.toBe(toHex(importPsk(nodeBackend, external).secret))
  })

  test('every context gives another secret', () => {
    const other = importPsk(nodeBackend, { ...external, context: Uint8Array.of(1, 2, 4) })
    expect(toHex(other.secret)).not.toBe(toHex(importPsk(nodeBackend, external).secret))
  })

  test('the secret for a received identity is the one the sender derived', () => {
    const { identity, secret } = importPsk(nodeBackend, external)
    expect(importedSecret(nodeBackend, external, identity)).toEqual(secret)
  })
})

describe('identities', () => {
  test('read back', () => {
    const { identity } = importPsk(nodeBackend, external)
    const read = readImportedIdentity(identity)
    expect(read && writeImportedIdentity(read)).toEqual(identity)
    expect(read?.externalIdentity).toEqual(external.externalIdentity)
  })

  test('anything cut short or too long is none', () => {
    const { identity } = importPsk(nodeBackend, external)
    for (let length = 0; length < identity.length; length++) {
      expect(readImportedIdentity(identity.subarray(0, length))).toBeUndefined()
    }
    expect(readImportedIdentity(Buffer.concat([identity, Uint8Array.of(0)]))).toBeUndefined()
    expect(readImportedIdentity(fromHex('0000 0000 0304 0001'))).toBeUndefined()
  })

  test('RFC 9258 §5.1: what would not fit the PSK extension is refused, and so is an empty identity', () => {
    expect(() => importPsk(nodeBackend, { ...external, context: new Uint8Array(0xfff0) })).toThrow(RangeError)
    expect(() => importPsk(nodeBackend, { ...external, externalIdentity: new Uint8Array(0) })).toThrow(RangeError)
  })

  test('RFC 9257 §6: a key of less than 128 bits is refused', () => {
    expect(() => importPsk(nodeBackend, { ...external, epsk: new Uint8Array(15) })).toThrow(RangeError)
  })
})
