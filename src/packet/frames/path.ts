// PATH_CHALLENGE and PATH_RESPONSE (RFC 9000 §19.17-18).

import type { Reader } from '../../bytes/reader.ts'
import type { Writer } from '../../bytes/writer.ts'
import { FrameType, type PathFrame } from './frame.ts'

/** How many unpredictable bytes each carries. */
export const PATH_DATA_LENGTH: number = 8
export const PATH_FRAME_SIZE: number = 1 + PATH_DATA_LENGTH

/** Reads either behind its type. The data is a copy: it is sent back, or compared, later. */
export function readPath(reader: Reader, type: PathFrame['type']): PathFrame {
  return { type, data: reader.copy(PATH_DATA_LENGTH) }
}

export function writePathChallenge(w: Writer, data: Uint8Array): void {
  w.u8(FrameType.PathChallenge)
  w.put(data)
}

export function writePathResponse(w: Writer, data: Uint8Array): void {
  w.u8(FrameType.PathResponse)
  w.put(data)
}
