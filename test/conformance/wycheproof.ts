// The part of the backend suite that Wycheproof wrote: edges of Poly1305's arithmetic, tags that are nearly right, keys
// and messages of every length.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.ts'

export function testWycheproof(backend: CryptoBackend): void {
  describe('Wycheproof', () => {
    test('ChaCha20-Poly1305', () => {
      let opened = 0
      for (const { key, iv, aad, msg, ct, tag, result } of vectors('chacha20_poly1305', group => group.ivSize === 96)) {
        const aead = backend.aead('chacha20-poly1305', fromHex(key))
        const sealed = fromHex(ct + tag)
        const plaintext = aead.open(fromHex(iv), fromHex(aad), sealed)
        expect(plaintext && toHex(plaintext)).toBe(result === 'valid' ? msg : undefined)
        if (plaintext === undefined) continue
        expect(toHex(aead.seal(fromHex(iv), fromHex(aad), plaintext))).toBe(ct + tag)
        opened++
      }
      expect(opened).toBeGreaterThan(200)
    })

    test('HMAC-SHA-256', () => {
      for (const { key, msg, tag, result } of vectors('hmac_sha256')) {
        const made = toHex(backend.hmac('sha256', fromHex(key), fromHex(msg))).slice(0, tag.length)
        expect(made === tag).toBe(result === 'valid')
      }
    })

    test('HKDF-SHA-256', () => {
      for (const { ikm, salt, info, size, okm, result } of vectors('hkdf_sha256')) {
        const prk = hkdfExtract(backend, 'sha256', fromHex(salt), fromHex(ikm))
        const expand = (): Uint8Array => hkdfExpand(backend, 'sha256', prk, fromHex(info), size)
        if (result === 'valid') expect(toHex(expand())).toBe(okm)
        else expect(expand).toThrow(RangeError)
      }
    })
  })
}

interface Group {
  readonly ivSize?: number
  readonly tests: readonly Vector[]
}

/** Hexadecimal, of which each algorithm has its own; lengths of output are bytes. */
interface Vector extends Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag' | 'ikm' | 'salt' | 'info' | 'okm', string> {
  readonly size: number
  readonly result: 'valid' | 'invalid'
}

function vectors(name: string, isWanted: (group: Group) => boolean = () => true): readonly Vector[] {
  const path = new URL(`../vectors/wycheproof/${name}_test.json`, import.meta.url)
  const { testGroups } = JSON.parse(readFileSync(path, 'utf8')) as { testGroups: Group[] }
  return testGroups.filter(isWanted).flatMap(group => group.tests)
}
