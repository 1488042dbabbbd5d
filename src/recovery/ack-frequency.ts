// How many packets an ACK may wait for, and how long (RFC 9000 §13.2.2; QUIC Acknowledgment Frequency, cited as AF).
//
// Every ACK costs two packets' worth of work, one at each end. So a long transfer is acknowledged less and less often,
// until the peer asks for something else, or turns out to wait for ACKs.

/** RFC 9000 §13.2.2: at first every second ack-eliciting packet is acknowledged at once. */
export const FIRST_THRESHOLD = 2

/** Later at most so many wait for an ACK. */
export const LAST_THRESHOLD = 10

/** Slow start lives on samples: that many ack-eliciting packets are acknowledged in pairs before it becomes fewer. */
export const PACKETS_IN_PAIRS = 512

/** The threshold grows by one after so many ACKs, at first ... */
export const FIRST_CLIMB = 8

/** ... and at most, for a peer that has been found waiting again and again. */
export const LAST_CLIMB = 128

/** A threshold that held for so many ACKs has proved itself. */
const PROVEN = 64

/** With a threshold above two ACKs wait no longer than this part of the RTT: the sender's window may be smaller. */
const RTT_SHARE = 1 / 4

/** No timer is finer, in ms. */
const SHORTEST_DELAY = 1

/** RFC 9000 §18.2. */
const DEFAULT_MAX_ACK_DELAY = 25

export class AckFrequency {
  /** An ACK leaves at once when so many ack-eliciting packets wait for it. AF's "Ack-Eliciting Threshold" is one less. */
  threshold: number = FIRST_THRESHOLD
  /** An ACK waits no longer than this, in ms. */
  maxAckDelay: number
  /** AF §6.2: a packet this far behind or ahead of what is missing is acknowledged at once; 0: none is. */
  reorderingThreshold = 1
  /** Smoothed RTT in ms, as far as known; 0: not. */
  rtt = 0
  /** AF §4: the largest sequence number of an ACK_FREQUENCY frame so far; -1 before the first. */
  #sequence = -1
  #packets = 0
  #acks = 0
  #climb = FIRST_CLIMB

  constructor(maxAckDelay: number = DEFAULT_MAX_ACK_DELAY) {
    this.maxAckDelay = maxAckDelay
  }

  /** The longest an ACK may wait now. */
  get delay(): number {
    if (this.threshold <= FIRST_THRESHOLD || this.rtt === 0 || this.isRequested) return this.maxAckDelay
    return Math.min(this.maxAckDelay, Math.max(this.rtt * RTT_SHARE, SHORTEST_DELAY))
  }

  /** The peer has said what it wants. */
  get isRequested(): boolean {
    return this.#sequence >= 0
  }

  /**
   * AF §4: an ACK_FREQUENCY frame, of values that are valid. `ackElicitingThreshold` is the number of packets that need
   * no ACK yet, `maxAckDelay` is in ms. False when a later frame was processed already.
   */
  request(sequence: number, ackElicitingThreshold: number, maxAckDelay: number, reorderingThreshold: number): boolean {
    if (sequence <= this.#sequence) return false
    this.#sequence = sequence
    this.threshold = ackElicitingThreshold + 1
    this.maxAckDelay = maxAckDelay
    this.reorderingThreshold = reorderingThreshold
    return true
  }

  onAckEliciting(): void {
    this.#packets++
  }

  /** An ACK was sent for so many ack-eliciting packets; late: because of the delay, and not of their number. */
  onAckSent(packets: number, isLate: boolean): void {
    if (this.isRequested || this.#packets <= PACKETS_IN_PAIRS) return
    if (packets >= this.threshold) this.#onFullAck()
    else if (isLate && this.threshold > FIRST_THRESHOLD) {
      // The peer may have been waiting: back to pairs, and more slowly up the next time.
      this.threshold = FIRST_THRESHOLD
      this.#climb = Math.min(2 * this.#climb, LAST_CLIMB)
      this.#acks = 0
    }
  }

  #onFullAck(): void {
    this.#acks++
    if (this.threshold === LAST_THRESHOLD) {
      if (this.#acks >= PROVEN) this.#climb = FIRST_CLIMB
    } else if (this.#acks >= this.#climb) {
      this.threshold++
      this.#acks = 0
    }
  }
}
