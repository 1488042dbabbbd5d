// Unreliable datagrams (RFC 9221).

import { limits } from '../limits.ts'
import { writeDatagram } from '../packet/frames/datagram.ts'
import { FrameType } from '../packet/frames/frame.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'

/** Datagrams waiting to be sent; the oldest is dropped when another comes. */
export const MAX_QUEUED_DATAGRAMS: number = limits.queuedDatagrams
/** Type, and a length of at most 4 bytes. */
const FRAME_OVERHEAD = 5

const datagramRecord = new SentFrame(SentKind.Datagram)

export class Datagrams implements FrameOwner {
  readonly #localMaximum: number
  #peerMaximum = 0
  readonly #queue: Uint8Array[] = []

  /** `localMaximum` is our max_datagram_frame_size; 0 forbids the peer to send any. */
  constructor(localMaximum: number) {
    this.#localMaximum = localMaximum
  }

  setPeerMaximum(maxDatagramFrameSize: number): void {
    this.#peerMaximum = maxDatagramFrameSize
  }

  /** The largest payload the peer takes and one packet of `packetSize` bytes of frames can hold. */
  maxSize(packetSize: number): number {
    return Math.max(0, Math.min(this.#peerMaximum, packetSize) - FRAME_OVERHEAD)
  }

  get hasDue(): boolean {
    return this.#queue.length > 0
  }

  /** Queues a datagram; false when the peer takes none that large. */
  send(data: Uint8Array, packetSize: number): boolean {
    if (this.#peerMaximum === 0 || data.length > this.maxSize(packetSize)) return false
    if (this.#queue.length === MAX_QUEUED_DATAGRAMS) this.#queue.shift()
    this.#queue.push(data)
    return true
  }

  /** Drops what can no longer be sent: the packets of this path hold only `packetSize` bytes of frames now. */
  trim(packetSize: number): void {
    while (this.#queue.length > 0 && (this.#queue[0] as Uint8Array).length + FRAME_OVERHEAD > packetSize) {
      this.#queue.shift()
    }
  }

  /** RFC 9221 §3: a frame, with type and length, larger than what we announced breaks the protocol. */
  check(frameSize: number): void {
    if (frameSize > this.#localMaximum) {
      throw new TransportError(ErrorCode.ProtocolViolation, 'DATAGRAM larger than announced', FrameType.Datagram)
    }
  }

  write(packet: PacketWriter): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.length + FRAME_OVERHEAD > packet.remaining) return
      writeDatagram(packet, next)
      packet.record(datagramRecord)
      this.#queue.shift()
    }
  }

  onAcked(): void {}

  /** RFC 9221 §5: never sent again. */
  onLost(): void {}
}
