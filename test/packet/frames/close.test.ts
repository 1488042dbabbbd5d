import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/hex.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import { closeSize, writeApplicationClose, writeConnectionClose } from '../../../src/packet/frames/close.ts'
import type { ConnectionCloseFrame } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { fault, read, written } from './support.ts'

describe('RFC 9000 §19.19', () => {
  test('the transport names the frame', () => {
    const bytes = written(w => writeConnectionClose(w, 0x128, 0x06, 'no'))
    expect(toHex(bytes)).toBe('1c 4128 06 02 6e6f'.replaceAll(' ', ''))
    expect(read(bytes, Level.Initial)).toEqual({ type: 0x1c, errorCode: 0x128, frameType: 6, reason: 'no' })
  })

  test('the application does not', () => {
    const bytes = written(w => writeApplicationClose(w, 0x100, 'ok ✓'))
    expect(toHex(bytes)).toBe('1d 4100 06 6f6b20e29c93'.replaceAll(' ', ''))
    expect(read(bytes)).toEqual({ type: 0x1d, errorCode: 0x100, frameType: 0, reason: 'ok ✓' })
  })

  test('an application close does not belong into the handshake', () => {
    const bytes = written(w => writeApplicationClose(w, 0x100, ''))
    expect(fault(bytes, Level.Initial).code).toBe(ErrorCode.ProtocolViolation)
    expect(fault(bytes, Level.Handshake).code).toBe(ErrorCode.ProtocolViolation)
    expect(read(bytes, Level.ZeroRtt)).toMatchObject({ errorCode: 0x100 })
  })
})

test('a reason that is not UTF-8 is still a reason', () => {
  expect(read('1d 00 03 61ff62')).toMatchObject({ reason: 'a\ufffdb' })
  expect(read('1d ffffffffffffffff 00')).toMatchObject({ errorCode: 2 ** 62 })
})

test('a reason is cut to what fits, between characters', () => {
  const reason = 'aß✓𝄞'.repeat(20)
  for (let room = 4; room <= 240; room++) {
    const w = Writer.allocate(room)
    writeConnectionClose(w, 1, 2, reason)
    const frame = read(w.finish()) as ConnectionCloseFrame
    expect(reason.startsWith(frame.reason)).toBe(true)
    if (room >= closeSize(reason)) expect(frame.reason).toBe(reason)
    if (frame.reason !== reason) expect(room - w.pos).toBeLessThan(5)
    const a = Writer.allocate(room)
    writeApplicationClose(a, 1, reason)
    expect(reason.startsWith((read(a.finish()) as ConnectionCloseFrame).reason)).toBe(true)
  }
  expect(() => writeConnectionClose(Writer.allocate(3), 1, 2, '')).toThrow(RangeError)
})

test('the size is never underestimated', () => {
  for (const reason of ['', 'short', '✓'.repeat(100)]) {
    const size = written(w => writeConnectionClose(w, 2 ** 53 - 1, 2 ** 53 - 1, reason)).length
    expect(closeSize(reason)).toBe(size)
  }
})

test.each(['1c 4128 06 02 6e6f', '1d 4128 02 6e6f'])('a close cut off at any byte: %s', hex => {
  const bytes = fromHex(hex)
  for (let length = 1; length < bytes.length; length++) {
    expect(fault(bytes.subarray(0, length))).toMatchObject({
      code: ErrorCode.FrameEncodingError,
      frameType: bytes[0],
    })
  }
})
