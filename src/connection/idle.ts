// Idle timeout (RFC 9000 §10.1).

export class Idle {
  /** Ours, ms; 0: none. */
  readonly #local: number
  #effective: number
  #restartedAt: number
  #hasSentSinceReceived = false
  #hasReminded = false

  constructor(local: number, now: number) {
    this.#local = local
    this.#effective = local
    this.#restartedAt = now
  }

  /** RFC 9000 §10.1: the smaller of the two advertised values; 0 means the peer has none. */
  setPeerTimeout(peer: number): void {
    this.#effective = this.#local === 0 || peer === 0 ? Math.max(this.#local, peer) : Math.min(this.#local, peer)
  }

  /** When it began: with the last packet received, or the first one sent since that asks for an answer. */
  get since(): number {
    return this.#restartedAt
  }

  onReceived(now: number): void {
    this.#restartedAt = now
    this.#hasSentSinceReceived = false
    this.#hasReminded = false
  }

  /** Only the first ack-eliciting packet since the last one received restarts the timer. */
  onAckElicitingSent(now: number): void {
    if (this.#hasSentSinceReceived) return
    this.#hasSentSinceReceived = true
    this.#restartedAt = now
  }

  /** RFC 9000 §4.1: half way, once, who is blocked by flow control says so again. */
  get reminder(): number {
    if (this.#effective === 0 || this.#hasReminded) return Number.POSITIVE_INFINITY
    return this.#restartedAt + this.#effective / 2
  }

  onReminded(): void {
    this.#hasReminded = true
  }

  /** At least three PTOs, so that a lost packet can be repaired first. */
  deadline(pto: number): number {
    if (this.#effective === 0) return Number.POSITIVE_INFINITY
    return this.#restartedAt + Math.max(this.#effective, 3 * pto)
  }
}
