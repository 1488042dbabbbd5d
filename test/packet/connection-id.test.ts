import { expect, test } from 'vitest'
import { connectionIdKey } from '../../src/packet/connection-id.ts'

test('equal ids have equal keys, others do not', () => {
  const ids = [[], [0], [0, 0], [1], [1, 0], [0, 1], [255], [1, 255], [11, 1], [1, 11], [1, 1, 1]]
  const keys = ids.map(id => connectionIdKey(Uint8Array.from(id)))
  expect(new Set(keys).size).toBe(ids.length)
  expect(connectionIdKey(new Uint8Array([9, 1, 11, 9]).subarray(1, 3))).toBe(keys[9])
})

test('RFC 8999 §5.3: ids of other versions go up to 255 bytes', () => {
  const long = new Uint8Array(255).fill(7)
  expect(connectionIdKey(long)).not.toBe(connectionIdKey(long.subarray(1)))
})
