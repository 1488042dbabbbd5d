// Windowed maxima (BBR §2.11, §2.12): the best of this window and of the one before, without a list of samples.

export class TwoWindowMax {
  #current = 0
  #previous = 0

  get max(): number {
    return Math.max(this.#current, this.#previous)
  }

  get hasSample(): boolean {
    return this.#current > 0
  }

  update(value: number): void {
    if (value > this.#current) this.#current = value
  }

  /** A new window begins; what was before the one that ends is forgotten. */
  advance(): void {
    this.#previous = this.#current
    this.#current = 0
  }
}
