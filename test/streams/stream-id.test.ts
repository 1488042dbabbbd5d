import { expect, test } from 'vitest'
import { directionOf, indexOf, initiatorOf, kindOf, streamId, streamKind } from '../../src/streams/stream-id.ts'

test('RFC 9000 §2.1: two bits for initiator and direction', () => {
  const table = [
    [0, 'client', 'bidi'],
    [1, 'server', 'bidi'],
    [2, 'client', 'uni'],
    [3, 'server', 'uni'],
  ] as const
  for (const [kind, initiator, direction] of table) {
    expect(streamKind(initiator, direction)).toBe(kind)
    for (const index of [0, 1, 63, 2 ** 31, 2 ** 50]) {
      const id = streamId(kind, index)
      expect(kindOf(id)).toBe(kind)
      expect(initiatorOf(id)).toBe(initiator)
      expect(directionOf(id)).toBe(direction)
      expect(indexOf(id)).toBe(index)
    }
  }
})
