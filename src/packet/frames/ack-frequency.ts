// ACK_FREQUENCY: how often the sender wants to be acknowledged (QUIC Acknowledgment Frequency §4).

import type { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import type { Writer } from '../../bytes/writer.ts'
import { type AckFrequencyFrame, FrameType } from './frame.ts'

export function readAckFrequency(reader: Reader): AckFrequencyFrame {
  return {
    type: FrameType.AckFrequency,
    sequence: reader.varint(),
    ackElicitingThreshold: reader.varint(),
    requestedMaxAckDelay: reader.varint(),
    reorderingThreshold: reader.varint(),
  }
}

export function ackFrequencySize(
  sequence: number,
  ackElicitingThreshold: number,
  requestedMaxAckDelay: number,
  reorderingThreshold: number,
): number {
  const fields = varintSize(sequence) + varintSize(ackElicitingThreshold) + varintSize(requestedMaxAckDelay)
  return varintSize(FrameType.AckFrequency) + fields + varintSize(reorderingThreshold)
}

export function writeAckFrequency(
  w: Writer,
  sequence: number,
  ackElicitingThreshold: number,
  requestedMaxAckDelay: number,
  reorderingThreshold: number,
): void {
  w.varint(FrameType.AckFrequency)
  w.varint(sequence)
  w.varint(ackElicitingThreshold)
  w.varint(requestedMaxAckDelay)
  w.varint(reorderingThreshold)
}
