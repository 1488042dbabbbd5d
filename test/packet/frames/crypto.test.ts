import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import { cryptoDataRoom, cryptoFrameOverhead, writeCryptoHeader } from '../../../src/packet/frames/crypto.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { fault, read, written } from './support.ts'

const data = fromHex('aa bb cc')

test('RFC 9000 §19.6: what is written is read', () => {
  for (const offset of [0, 63, 64, 2 ** 53 - 4]) {
    const bytes = written(w => {
      writeCryptoHeader(w, offset, 3)
      w.put(data)
    })
    expect(read(bytes, Level.Initial)).toEqual({ type: 0x06, offset, data })
    expect(bytes.length).toBe(cryptoFrameOverhead(offset, 3) + 3)
  }
  expect(toHex(written(w => writeCryptoHeader(w, 0, 241)))).toBe('060040f1')
})

test('the room for data is the most that fits', () => {
  for (const offset of [0, 1000, 2 ** 30]) {
    for (let room = 0; room < 100; room++) {
      const most = cryptoDataRoom(offset, room)
      if (most >= 0) {
        const w = Writer.allocate(room)
        writeCryptoHeader(w, offset, most)
        w.zeros(most)
      }
      const more = Math.max(most, -1) + 1
      expect(cryptoFrameOverhead(offset, more) + more).toBeGreaterThan(room)
    }
  }
})

test('RFC 9000 §19.6: an offset no buffer reaches', () => {
  expect(fault('06 c01fffffffffffff 01 aa')).toMatchObject({ code: ErrorCode.CryptoBufferExceeded, frameType: 0x06 })
  expect(fault('06 ffffffffffffffff 00').code).toBe(ErrorCode.CryptoBufferExceeded)
})

test('a CRYPTO cut off at any byte', () => {
  const bytes = fromHex('06 4001 03 aabbcc')
  for (let length = 1; length < bytes.length; length++) {
    expect(fault(bytes.subarray(0, length))).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0x06 })
  }
})
