import { expect, test } from 'vitest'
import { varintSize } from '../../../src/bytes/varint.ts'
import { lengthPrefixedRoom } from '../../../src/packet/frames/length.ts'

test('it is the most that fits, for every size of packet', () => {
  expect([-5, 0, 1, 2].map(lengthPrefixedRoom)).toEqual([-1, -1, 0, 1])
  for (let room = 1; room < 70_000; room++) {
    const most = lengthPrefixedRoom(room)
    if (varintSize(most) + most > room || varintSize(most + 1) + most + 1 <= room) expect.fail(`${most} for ${room}`)
  }
})
