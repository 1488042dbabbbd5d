// DATAGRAM frames (RFC 9221 §4).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { type DatagramFrame, FrameType } from './frame.ts'

const LENGTH = 0x01

/** Reads a DATAGRAM behind its type, 0x30 or 0x31. Without a length the data goes on to the end of the packet. */
export function readDatagram(reader: Reader, type: number): DatagramFrame {
  const length = type & LENGTH ? reader.varint() : reader.remaining
  return { type: FrameType.Datagram, data: reader.view(length) }
}

export function datagramSize(length: number): number {
  return 1 + varintSize(length) + length
}

/** Always with a length, so that other frames may follow. */
export function writeDatagram(w: Writer, data: Uint8Array): void {
  w.u8(FrameType.Datagram | LENGTH)
  w.varint(data.length)
  w.put(data)
}
