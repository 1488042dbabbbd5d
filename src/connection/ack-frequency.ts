// How often the peer is asked to acknowledge, and what it asks of us (QUIC Acknowledgment Frequency, cited as AF).
//
// While the window opens, ACKs are its clock and nothing is asked. Later a few for each window are enough: every one
// that is not sent is a packet less at both ends.

import { ackFrequencySize, writeAckFrequency } from '../packet/frames/ack-frequency.ts'
import { type AckFrequencyFrame, FrameType } from '../packet/frames/frame.ts'
import { SIGNAL_FRAME_SIZE, writeImmediateAck } from '../packet/frames/signal.ts'
import { Level } from '../packet/level.ts'
import type { FrameOwner, PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'
import { ErrorCode, TransportError } from '../packet/transport-error.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { ReceivedPackets } from '../recovery/received-packets.ts'
import type { Recovery } from '../recovery/recovery.ts'

/** AF §8.1: ACKs for each window full of packets, at least. */
export const ACKS_PER_WINDOW = 6
/** However large the window is, no ACK is to wait for more packets than this. */
export const MOST_PACKETS_PER_ACK = 64
/** RFC 9000 §13.2.2: what peers do by themselves. */
const PACKETS_PER_ACK = 2
/** AF §8.1: no longer than a round trip; this is a part of one. */
const RTT_SHARE = 1 / 4
/** RFC 9000 §18.2: nor than peers wait by themselves, µs. */
const LONGEST_DELAY = 25_000
/** AF §8.1: not every change is worth a frame. */
const WORTHWHILE = 1.5
/** RFC 9000 §18.2, µs: values of max_ack_delay from 2^14 ms on are invalid. */
const INVALID_DELAY = 2 ** 14 * 1000

const immediateAck = new SentFrame(SentKind.ImmediateAck)

/** What is asked of the peer. */
export class AckRequests implements FrameOwner {
  readonly #recovery: Recovery
  /** The peer's min_ack_delay, µs; undefined: it takes no requests. */
  #minDelay: number | undefined
  /** The newest request: µs, and packets for each ACK, one more than AF's threshold. */
  #sequence = -1
  #packets = PACKETS_PER_ACK
  #delay = 0
  #reordering = 1
  #isDue = false
  #isAcked = true
  /** The longest delay the peer may go by now, µs: its own, or one that was asked for since. */
  #longestDelay = 0
  #mayAskAt: number = Number.NEGATIVE_INFINITY
  #mayHurryAt: number = Number.NEGATIVE_INFINITY

  constructor(recovery: Recovery) {
    this.#recovery = recovery
  }

  get hasDue(): boolean {
    return this.#isDue
  }

  /** What the peer declares. Without min_ack_delay it is never asked. */
  offer({ minAckDelay, maxAckDelay }: TransportParameters): void {
    this.#minDelay = minAckDelay
    this.#delay = maxAckDelay * 1000
    this.#longestDelay = this.#delay
  }

  /** After an ACK. AF §8.1: once per round trip at most, and only for what makes a difference. */
  review(maxDatagramSize: number, now: number): void {
    if (this.#minDelay === undefined || !this.#isAcked || now < this.#mayAskAt) return
    const packets = this.#wantedPackets(maxDatagramSize)
    const { smoothed } = this.#recovery.rtt
    const share = Math.round(smoothed * 1000 * RTT_SHARE)
    const delay = Math.max(this.#minDelay, Math.min(share, LONGEST_DELAY))
    // AF §8.1: where the timer is slower than the path, waiting for more reordering delays the detection of losses.
    const reordering = this.#minDelay > smoothed * 1000 ? 1 : this.#recovery.packetThreshold
    const hasAsked = this.#sequence >= 0
    const isOther = isWorthwhile(packets, this.#packets)
    const isBetter = hasAsked && (isWorthwhile(delay, this.#delay) || reordering !== this.#reordering)
    if (isOther || isBetter) this.#ask(packets, delay, reordering)
  }

  /** AF §8.4: another path, whose window opens anew. */
  onNewPath(): void {
    if (this.#sequence >= 0) this.#ask(PACKETS_PER_ACK, this.#delay, this.#recovery.packetThreshold)
  }

  write(packet: PacketWriter, now: number): void {
    if (!this.#isDue) return
    const threshold = this.#packets - 1
    if (packet.remaining < ackFrequencySize(this.#sequence, threshold, this.#delay, this.#reordering)) return
    writeAckFrequency(packet, this.#sequence, threshold, this.#delay, this.#reordering)
    packet.record(new SentFrame(SentKind.AckFrequency, this.#sequence))
    this.#isDue = false
    this.#mayAskAt = now + this.#recovery.rtt.smoothed
    // AF §7: until it is acknowledged, the greater of what holds and what is in flight.
    this.#expectDelay(Math.max(this.#longestDelay, this.#delay))
  }

  /**
   * Asks for an ACK at once where a late one costs time (AF §5): in a probe, and once per round trip in the last packet
   * before there is nothing more to send.
   */
  writeImmediate(packet: PacketWriter, isProbe: boolean, isLast: boolean, now: number): void {
    if (this.#minDelay === undefined || packet.level !== Level.OneRtt || packet.remaining < SIGNAL_FRAME_SIZE) return
    if (!isProbe) {
      if (!isLast || this.#packets <= PACKETS_PER_ACK || !packet.isAckEliciting || now < this.#mayHurryAt) return
      this.#mayHurryAt = now + this.#recovery.rtt.smoothed
    }
    writeImmediateAck(packet)
    packet.record(immediateAck)
  }

  onAcked(frame: SentFrame): void {
    // IMMEDIATE_ACK, or a request that is obsolete.
    if (frame.kind !== SentKind.AckFrequency || frame.id !== this.#sequence) return
    this.#isAcked = true
    this.#isDue = false
    this.#expectDelay(this.#delay)
  }

  onLost(frame: SentFrame): void {
    if (frame.kind === SentKind.AckFrequency && frame.id === this.#sequence && !this.#isAcked) this.#isDue = true
  }

  #wantedPackets(maxDatagramSize: number): number {
    const { isInSlowStart, window } = this.#recovery.congestion
    if (isInSlowStart) return PACKETS_PER_ACK
    const share = Math.floor(window / maxDatagramSize / ACKS_PER_WINDOW)
    return Math.min(Math.max(share, PACKETS_PER_ACK), MOST_PACKETS_PER_ACK)
  }

  #ask(packets: number, delay: number, reordering: number): void {
    this.#sequence++
    this.#packets = packets
    this.#delay = delay
    this.#reordering = reordering
    this.#isDue = true
    this.#isAcked = false
  }

  #expectDelay(delay: number): void {
    this.#longestDelay = delay
    this.#recovery.setMaxAckDelay(delay / 1000)
  }
}

/** AF §4: the peer says how often it wants to be acknowledged. `minDelay` is our min_ack_delay, if we declared one. */
export function onAckFrequency(
  frame: AckFrequencyFrame,
  received: ReceivedPackets,
  minDelay: number | undefined,
): void {
  if (minDelay === undefined) throw unknownFrame(frame.type)
  const { sequence, ackElicitingThreshold, requestedMaxAckDelay, reorderingThreshold } = frame
  if (requestedMaxAckDelay < minDelay || requestedMaxAckDelay >= INVALID_DELAY) {
    throw new TransportError(ErrorCode.ProtocolViolation, `an ACK delay of ${requestedMaxAckDelay} µs`, frame.type)
  }
  received.frequency.request(sequence, ackElicitingThreshold, requestedMaxAckDelay / 1000, reorderingThreshold)
}

/** AF §5. */
export function onImmediateAck(received: ReceivedPackets, minDelay: number | undefined, now: number): void {
  if (minDelay === undefined) throw unknownFrame(FrameType.ImmediateAck)
  received.requestAck(now)
}

/** RFC 9000 §12.4: so are frames of an extension that was not offered. */
function unknownFrame(type: number): TransportError {
  return new TransportError(ErrorCode.FrameEncodingError, 'unknown frame type', type)
}

function isWorthwhile(wanted: number, present: number): boolean {
  return wanted >= present * WORTHWHILE || present >= wanted * WORTHWHILE
}
