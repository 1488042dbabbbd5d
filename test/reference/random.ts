// Seeded random numbers, so that a failure can be repeated.

/** Mulberry32: returns a function that gives numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x100000000
  }
}

/** An integer from 0 to `below - 1`. */
export function integer(random: () => number, below: number): number {
  return Math.floor(random() * below)
}

export function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => integer(random, 256))
}
