// A set of integers kept as sorted ranges: packet numbers received, bytes acknowledged, gaps in a stream.

/**
 * Ranges are half-open `[start, end)`, in ascending order, never empty, never touching. They live in one flat array
 * of bounds, since the common case is to extend the last range, which is then one store into an array of numbers.
 */
export class RangeSet {
  /** start 0, end 0, start 1, end 1, ... */
  readonly #bounds: number[] = []

  /** How many ranges. */
  get count(): number {
    return this.#bounds.length >>> 1
  }

  get isEmpty(): boolean {
    return this.#bounds.length === 0
  }

  /** The first value of range `i`. */
  start(i: number): number {
    this.#check(i)
    return this.#bounds[2 * i] as number
  }

  /** The value behind the last one of range `i`. */
  end(i: number): number {
    this.#check(i)
    return this.#bounds[2 * i + 1] as number
  }

  /** The smallest value; Infinity when empty. */
  get min(): number {
    return this.isEmpty ? Number.POSITIVE_INFINITY : (this.#bounds[0] as number)
  }

  /** The largest value; -1 when empty, which is below every number of a packet and every offset. */
  get max(): number {
    return this.isEmpty ? -1 : (this.#bounds[this.#bounds.length - 1] as number) - 1
  }

  /** How many values there are in all ranges together. */
  get total(): number {
    const bounds = this.#bounds
    let sum = 0
    for (let i = 0; i < bounds.length; i += 2) sum += (bounds[i + 1] as number) - (bounds[i] as number)
    return sum
  }

  contains(value: number): boolean {
    const i = this.#firstEndingAfter(value)
    return i < this.#bounds.length && (this.#bounds[i] as number) <= value
  }

  /** Adds `[start, end)`; an empty or reversed range adds nothing. */
  add(start: number, end: number): void {
    if (!(start < end)) return
    const bounds = this.#bounds
    const length = bounds.length
    if (length > 0) {
      const lastEnd = bounds[length - 1] as number
      if (start === lastEnd) {
        bounds[length - 1] = end
        return
      }
      if (start < lastEnd) {
        this.#merge(start, end)
        return
      }
    }
    bounds.push(start, end)
  }

  /** Removes `[start, end)`, which may cut a range in two. */
  remove(start: number, end: number): void {
    if (!(start < end)) return
    const bounds = this.#bounds
    const first = this.#firstEndingAfter(start)
    if (first === bounds.length || (bounds[first] as number) >= end) return
    const last = this.#lastStartingBefore(end)
    const hasHead = (bounds[first] as number) < start
    const hasTail = (bounds[last + 1] as number) > end
    if (hasHead && hasTail && first === last) {
      bounds.splice(first + 1, 0, start, end)
      return
    }
    if (hasHead) bounds[first + 1] = start
    if (hasTail) bounds[last] = end
    const from = hasHead ? first + 2 : first
    const to = hasTail ? last : last + 2
    if (to > from) bounds.splice(from, to - from)
  }

  /** Drops everything below `value`. */
  removeBelow(value: number): void {
    const bounds = this.#bounds
    const first = this.#firstEndingAfter(value)
    if (first > 0) bounds.splice(0, first)
    if (bounds.length > 0 && (bounds[0] as number) < value) bounds[0] = value
  }

  /** Drops the lowest range. */
  shift(): void {
    this.#bounds.splice(0, 2)
  }

  clear(): void {
    this.#bounds.length = 0
  }

  /** `[start, end)` overlaps, touches or precedes something that is here already. */
  #merge(start: number, end: number): void {
    const bounds = this.#bounds
    // The ranges from `first` to `last` overlap or touch the new one. Bounds are integers, so "ends at or after start"
    // is "ends after start - 1".
    const first = this.#firstEndingAfter(start - 1)
    const last = this.#lastStartingBefore(end + 1)
    if (last < first) {
      bounds.splice(first, 0, start, end)
      return
    }
    if (start < (bounds[first] as number)) bounds[first] = start
    const lastEnd = bounds[last + 1] as number
    bounds[first + 1] = Math.max(lastEnd, end)
    if (last > first) bounds.splice(first + 2, last - first)
  }

  /** Index into the bounds of the first range whose end is above `value`; the length when there is none. */
  #firstEndingAfter(value: number): number {
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length >>> 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((bounds[2 * middle + 1] as number) > value) high = middle
      else low = middle + 1
    }
    return 2 * low
  }

  /** Index into the bounds of the last range whose start is below `value`; -2 when there is none. */
  #lastStartingBefore(value: number): number {
    const bounds = this.#bounds
    let low = 0
    let high = bounds.length >>> 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((bounds[2 * middle] as number) < value) low = middle + 1
      else high = middle
    }
    return 2 * (low - 1)
  }

  #check(i: number): void {
    if (!(i >= 0 && i < this.count)) throw new RangeError(`no range ${i} of ${this.count}`)
  }
}
