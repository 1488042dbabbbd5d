// ACK frames (RFC 9000 §19.3).

import type { RangeSet } from '../../bytes/range-set.ts'
import { OutOfBytes, type Reader } from '../../bytes/reader.ts'
import { MAX_EXACT, varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { ErrorCode, TransportError } from '../transport-error.ts'
import { type AckFrame, type EcnCounts, FrameType } from './frame.ts'

/** Reads an ACK behind its type, which is FrameType.Ack or FrameType.AckEcn. */
export function readAck(reader: Reader, type: number): AckFrame {
  const largestAcknowledged = reader.varint()
  // RFC 9000 §13.1: so many packets nobody has sent. From here on all numbers are exact.
  if (largestAcknowledged > MAX_EXACT) {
    throw new TransportError(ErrorCode.ProtocolViolation, 'acknowledges a packet that was not sent', type)
  }
  const ackDelay = reader.varint()
  const rangeCount = reader.varint()
  let smallest = largestAcknowledged - reader.varint()
  if (smallest < 0) throw negativeNumber(type)
  // Each further range takes two bytes at least: a count that cannot be true costs nothing.
  if (rangeCount > reader.remaining / 2) throw new OutOfBytes(`${rangeCount} ranges in ${reader.remaining} bytes`)
  const ranges = [largestAcknowledged, smallest]
  for (let i = 0; i < rangeCount; i++) {
    // RFC 9000 §19.3.1: the gap counts from one below the packet next to it.
    const largest = smallest - reader.varint() - 2
    smallest = largest - reader.varint()
    if (smallest < 0) throw negativeNumber(type)
    ranges.push(largest, smallest)
  }
  const ecn = type === FrameType.AckEcn ? readEcnCounts(reader) : undefined
  return { type: FrameType.Ack, largestAcknowledged, ackDelay, ranges, ecn }
}

/**
 * Writes an ACK of `ranges`, the highest first: at most `maxRanges` of them and as many as fit. `ackDelay` is scaled
 * already. False, and nothing written, when there is nothing to acknowledge or not even the highest range fits.
 */
export function writeAck(w: Writer, ranges: RangeSet, ackDelay: number, maxRanges: number): boolean {
  if (ranges.isEmpty || maxRanges < 1) return false
  const wanted = Math.min(maxRanges, ranges.count) - 1
  let room = w.remaining - firstRangeSize(ranges, ackDelay) - varintSize(wanted)
  if (room < 0) return false
  const top = ranges.count - 1
  let more = 0
  while (more < wanted) {
    room -= furtherRangeSize(ranges, top - more - 1)
    if (room < 0) break
    more++
  }
  w.u8(FrameType.Ack)
  w.varint(ranges.max)
  w.varint(ackDelay)
  w.varint(more)
  w.varint(lengthOf(ranges, top) - 1)
  for (let i = top - 1; i >= top - more; i--) {
    w.varint(gapAbove(ranges, i))
    w.varint(lengthOf(ranges, i) - 1)
  }
  return true
}

/** The bytes `writeAck` takes, given room; 0 when it would write nothing. */
export function ackSize(ranges: RangeSet, ackDelay: number, maxRanges: number): number {
  if (ranges.isEmpty || maxRanges < 1) return 0
  const top = ranges.count - 1
  const more = Math.min(maxRanges, ranges.count) - 1
  let size = firstRangeSize(ranges, ackDelay) + varintSize(more)
  for (let i = top - 1; i >= top - more; i--) size += furtherRangeSize(ranges, i)
  return size
}

function readEcnCounts(reader: Reader): EcnCounts {
  return { ect0: reader.varint(), ect1: reader.varint(), ce: reader.varint() }
}

/** All but the count of further ranges. */
function firstRangeSize(ranges: RangeSet, ackDelay: number): number {
  return 1 + varintSize(ranges.max) + varintSize(ackDelay) + varintSize(lengthOf(ranges, ranges.count - 1) - 1)
}

function furtherRangeSize(ranges: RangeSet, i: number): number {
  return varintSize(gapAbove(ranges, i)) + varintSize(lengthOf(ranges, i) - 1)
}

/** The gap field between range `i` and the one above it: one less than the numbers missing. */
function gapAbove(ranges: RangeSet, i: number): number {
  return ranges.start(i + 1) - ranges.end(i) - 1
}

function lengthOf(ranges: RangeSet, i: number): number {
  return ranges.end(i) - ranges.start(i)
}

function negativeNumber(type: number): TransportError {
  return new TransportError(ErrorCode.FrameEncodingError, 'ACK range below packet 0', type)
}
