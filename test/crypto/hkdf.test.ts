import { expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { hkdfExpand, hkdfExpandLabel, noContext } from '../../src/crypto/hkdf.ts'
import { versionSecrets } from '../../src/crypto/version-secrets.ts'

const secret = new Uint8Array(48).fill(1)

test('RFC 5869 §2.3 at most 255 blocks, of which shorter outputs are the beginning', () => {
  const all = hkdfExpand(nodeBackend, 'sha384', secret, noContext, 255 * 48)
  for (const length of [0, 1, 47, 48, 49, 96, 97, 1000]) {
    expect(hkdfExpand(nodeBackend, 'sha384', secret, noContext, length)).toEqual(all.subarray(0, length))
  }
  expect(() => hkdfExpand(nodeBackend, 'sha384', secret, noContext, 255 * 48 + 1)).toThrow(RangeError)
})

test('RFC 8446 §7.1 label and context fit one byte of length each', () => {
  const expand = (label: string, context: Uint8Array) =>
    hkdfExpandLabel(nodeBackend, 'sha384', secret, label, context, 16)
  expect(expand('l'.repeat(249), new Uint8Array(255))).toHaveLength(16)
  expect(() => expand('l'.repeat(250), noContext)).toThrow(RangeError)
  expect(() => expand('label', new Uint8Array(256))).toThrow(RangeError)
})

test('versions without known keys are the fault of the caller', () => {
  expect(() => versionSecrets(0x1a2a3a4a)).toThrow(RangeError)
})
