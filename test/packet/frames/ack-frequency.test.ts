import { describe, expect, test } from 'vitest'
import { fromHex } from '../../../src/bytes/hex.ts'
import { ackFrequencySize, writeAckFrequency } from '../../../src/packet/frames/ack-frequency.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { fault, read, written } from './support.ts'

const top = 2 ** 53 - 1

describe('QUIC Acknowledgment Frequency §4: ACK_FREQUENCY', () => {
  test('goes there and back, its type in two bytes', () => {
    const bytes = written(w => writeAckFrequency(w, 5, 9, 20_000, 3))
    expect(bytes).toEqual(fromHex('40af 05 09 80004e20 03'))
    expect(bytes.length).toBe(ackFrequencySize(5, 9, 20_000, 3))
    expect(read(bytes)).toEqual({
      type: FrameType.AckFrequency,
      sequence: 5,
      ackElicitingThreshold: 9,
      requestedMaxAckDelay: 20_000,
      reorderingThreshold: 3,
    })
  })

  test('the largest values are as long as announced', () => {
    expect(written(w => writeAckFrequency(w, top, top, top, top)).length).toBe(ackFrequencySize(top, top, top, top))
  })

  test('cut off behind its type is FRAME_ENCODING_ERROR', () => {
    const bytes = fromHex('40af 05 09 80004e20 03')
    for (let length = 2; length < bytes.length; length++) {
      expect(fault(bytes.subarray(0, length))).toMatchObject({ code: ErrorCode.FrameEncodingError, frameType: 0xaf })
    }
  })
})
