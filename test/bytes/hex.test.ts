import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'

test('every byte goes there and back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
  expect(toHex(bytes).slice(0, 8)).toBe('00010203')
  expect(fromHex(toHex(bytes))).toEqual(bytes)
  expect(toHex(new Uint8Array(0))).toBe('')
})

test('white space and case do not matter', () => {
  expect(fromHex(' 0A\n 0b0C\t')).toEqual(Uint8Array.of(10, 11, 12))
})

test.each(['0', '0g', '0x00', 'zz'])('%s is refused', text => {
  expect(() => fromHex(text)).toThrow(TypeError)
})
