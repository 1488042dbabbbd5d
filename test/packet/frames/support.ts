// Writing and reading single frames.

import { expect } from 'vitest'
import { fromHex } from '../../../src/bytes/hex.ts'
import { Reader } from '../../../src/bytes/reader.ts'
import { Writer } from '../../../src/bytes/writer.ts'
import type { Frame } from '../../../src/packet/frames/frame.ts'
import { readFrame } from '../../../src/packet/frames/read-frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { TransportError } from '../../../src/packet/transport-error.ts'

export function written(write: (w: Writer) => unknown, size = 2000): Uint8Array {
  const w = Writer.allocate(size)
  write(w)
  return w.finish()
}

/** Reads one frame, which must be all there is. */
export function read(bytes: Uint8Array | string, level: Level = Level.OneRtt): Frame {
  const reader = new Reader(typeof bytes === 'string' ? fromHex(bytes) : bytes)
  const frame = readFrame(reader, level)
  expect(reader.remaining).toBe(0)
  return frame
}

/** What reading throws. */
export function fault(bytes: Uint8Array | string, level: Level = Level.OneRtt): TransportError {
  try {
    readFrame(new Reader(typeof bytes === 'string' ? fromHex(bytes) : bytes), level)
  } catch (error) {
    expect(error).toBeInstanceOf(TransportError)
    return error as TransportError
  }
  throw new Error('no fault')
}
