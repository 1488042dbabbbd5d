// The slow twin of RangeSet: a Set of single values.

export class PlainRangeSet {
  readonly #values = new Set<number>()

  add(start: number, end: number): void {
    for (let value = start; value < end; value++) this.#values.add(value)
  }

  remove(start: number, end: number): void {
    for (let value = start; value < end; value++) this.#values.delete(value)
  }

  removeBelow(limit: number): void {
    for (const value of [...this.#values]) if (value < limit) this.#values.delete(value)
  }

  shift(): void {
    const first = this.ranges()[0]
    if (first !== undefined) this.remove(first[0], first[1])
  }

  contains(value: number): boolean {
    return this.#values.has(value)
  }

  get total(): number {
    return this.#values.size
  }

  ranges(): [number, number][] {
    const ranges: [number, number][] = []
    for (const value of [...this.#values].sort((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last !== undefined && last[1] === value) last[1] = value + 1
      else ranges.push([value, value + 1])
    }
    return ranges
  }
}
