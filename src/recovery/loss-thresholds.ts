// How much reordering is tolerated before a packet counts as lost (RFC 9002 §6.1), adapted to what the path does.

/** RFC 9002 §6.1.1: reordering tolerated at first, and at least, in packets. */
export const PACKET_THRESHOLD = 3

/** RFC 9002 §6.1.2: reordering tolerated at first, and at least, in round trips. */
export const TIME_THRESHOLD: number = 9 / 8

/** However late packets arrive, no more is tolerated than this: a peer must not be able to switch detection off ... */
export const MAX_PACKET_THRESHOLD = 256

/** ... and beyond two round trips waiting is worse than repeating, as in RFC 8985 §6.2. */
export const MAX_TIME_THRESHOLD = 2

/** After so many recovery periods without a spurious loss the path counts as orderly again, as in RFC 8985 §6.2. */
export const ORDERLY_EPOCHS = 16

/** A packet exactly as late as the last one must not be lost by rounding. */
const TIME_MARGIN = 1.01

export class LossThresholds {
  packets: number = PACKET_THRESHOLD
  time: number = TIME_THRESHOLD
  #orderlyEpochs = 0

  /**
   * A packet declared lost arrived, overtaken by `reordering` others, and after so many round trips. What cannot be
   * tolerated anyway is not worth a longer wait for everything else.
   */
  onSpuriousLoss(reordering: number, roundTrips: number): void {
    this.#orderlyEpochs = 0
    if (reordering >= this.packets && reordering < MAX_PACKET_THRESHOLD) this.packets = reordering + 1
    const time = roundTrips * TIME_MARGIN
    if (time > this.time && time <= MAX_TIME_THRESHOLD) this.time = time
  }

  /** A recovery period began. */
  onCongestionEvent(): void {
    if (++this.#orderlyEpochs >= ORDERLY_EPOCHS) this.reset()
  }

  /** Another path. */
  reset(): void {
    this.packets = PACKET_THRESHOLD
    this.time = TIME_THRESHOLD
    this.#orderlyEpochs = 0
  }
}
