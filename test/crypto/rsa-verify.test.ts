import { expect, test } from 'vitest'
import { rsaPublicKey } from '../../src/crypto/rsa-verify.ts'
import { MAX_RSA_BITS, MIN_RSA_BITS } from '../../src/crypto/signature-schemes.ts'

const exponent = Uint8Array.of(1, 0, 1)

/** An odd number of exactly `bits` bits, as a DER INTEGER has it. */
function modulus(bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(bits / 8) + 1).fill(0x55)
  bytes[0] = bits % 8 === 0 ? 0 : 1 << ((bits % 8) - 1)
  if (bits % 8 === 0) bytes[1] = 0x80
  return bytes
}

test('the size of a key is bounded on both sides: its owner decides how long we compute', () => {
  expect(rsaPublicKey(modulus(MIN_RSA_BITS), exponent)?.bits).toBe(MIN_RSA_BITS)
  expect(rsaPublicKey(modulus(MAX_RSA_BITS), exponent)?.bits).toBe(MAX_RSA_BITS)
  expect(rsaPublicKey(modulus(MIN_RSA_BITS - 1), exponent)).toBeUndefined()
  expect(rsaPublicKey(modulus(MAX_RSA_BITS + 1), exponent)).toBeUndefined()
  expect(rsaPublicKey(modulus(16 * MAX_RSA_BITS), exponent)).toBeUndefined()
})

test('the exponent is odd, at least 3 and at most 64 bits', () => {
  const n = modulus(2048)
  expect(rsaPublicKey(n, Uint8Array.of(3))).toBeDefined()
  expect(rsaPublicKey(n, new Uint8Array(8).fill(0x7f))).toBeDefined()
  for (const e of [[], [0], [1], [2], [4], [0x81], new Array(9).fill(1)]) {
    expect(rsaPublicKey(n, Uint8Array.from(e))).toBeUndefined()
  }
})

test('even, negative and empty moduli are refused', () => {
  const even = modulus(2048)
  even[even.length - 1] = 0x54
  expect(rsaPublicKey(even, exponent)).toBeUndefined()
  expect(rsaPublicKey(modulus(2048).subarray(1), exponent)).toBeUndefined()
  expect(rsaPublicKey(new Uint8Array(0), exponent)).toBeUndefined()
})
