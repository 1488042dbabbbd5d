import { expect, test } from 'vitest'
import { constantTimeEqual, equal } from '../../src/bytes/equal.ts'

for (const same of [equal, constantTimeEqual]) {
  test(`${same.name} compares content, not identity`, () => {
    expect(same(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
    expect(same(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
    expect(same(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
  })
}
