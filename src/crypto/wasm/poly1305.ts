// Poly1305 (RFC 8439 §2.5) in four limbs of 32 bits and a small one. r is clamped, so the sum of a limb's products fits 64
// bits even when limbs are not carried: what is above 32 bits waits for the next block. No branch and no address depends
// on a secret.

// r; the accumulator; s. What goes beyond 2^130 comes back five times (2^130 = 5 modulo p): t is 5/4 r, exact because
// the low bits of r1 to r3 are clear, for limbs that stand at 2^128.
let r0: u64 = 0, r1: u64 = 0, r2: u64 = 0, r3: u64 = 0
let t1: u64 = 0, t2: u64 = 0, t3: u64 = 0
let h0: u64 = 0, h1: u64 = 0, h2: u64 = 0, h3: u64 = 0, h4: u64 = 0
let s0: u64 = 0, s1: u64 = 0

const WORD: u64 = 0xffffffff

/** `key`: 32 bytes, used once (RFC 8439 §2.6). */
export function polyStart(key: usize): void {
  // RFC 8439 §2.5: r is clamped.
  r0 = u64(load<u32>(key) & 0x0fffffff)
  r1 = u64(load<u32>(key, 4) & 0x0ffffffc)
  r2 = u64(load<u32>(key, 8) & 0x0ffffffc)
  r3 = u64(load<u32>(key, 12) & 0x0ffffffc)
  t1 = r1 + (r1 >> 2); t2 = r2 + (r2 >> 2); t3 = r3 + (r3 >> 2)
  h0 = h1 = h2 = h3 = h4 = 0
  s0 = load<u64>(key, 16)
  s1 = load<u64>(key, 24)
}

/** `length` is a multiple of 16. */
export function polyBlocks(from: usize, length: usize): void {
  for (const end = from + length; from < end; from += 16) polyBlock(from)
}

/** RFC 8439 §2.5.1: a = (a + block) * r modulo 2^130 - 5. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
export function polyBlock(from: usize): void {
  const a0 = h0 + u64(load<u32>(from))
  const a1 = h1 + u64(load<u32>(from, 4))
  const a2 = h2 + u64(load<u32>(from, 8))
  const a3 = h3 + u64(load<u32>(from, 12))
  // RFC 8439 §2.5.1: the bit above a whole block.
  const a4 = h4 + 1

  const d0 = a0 * r0 + a1 * t3 + a2 * t2 + a3 * t1
  const d1 = a0 * r1 + a1 * r0 + a2 * t3 + a3 * t2 + a4 * t1 + (d0 >> 32)
  const d2 = a0 * r2 + a1 * r1 + a2 * r0 + a3 * t3 + a4 * t2 + (d1 >> 32)
  const d3 = a0 * r3 + a1 * r2 + a2 * r1 + a3 * r0 + a4 * t3 + (d2 >> 32)
  const d4 = a4 * r0 + (d3 >> 32)

  h0 = (d0 & WORD) + (d4 >> 2) * 5
  h1 = d1 & WORD
  h2 = d2 & WORD
  h3 = d3 & WORD
  h4 = d4 & 3
}

/** RFC 8439 §2.5.1: the accumulator, reduced, plus s modulo 2^128. Forgets everything. */
export function polyFinish(tag: usize): void {
  h1 += h0 >> 32; h0 &= WORD
  h2 += h1 >> 32; h1 &= WORD
  h3 += h2 >> 32; h2 &= WORD
  h4 += h3 >> 32; h3 &= WORD
  // Now below 2^131, in two words and a rest.
  const low = h0 | (h1 << 32)
  const high = h2 | (h3 << 32)

  // h + 5 reaches 2^130 exactly when h is not below p: then that is what remains modulo 2^128; chosen by a mask.
  const lowPlus = low + 5
  const highPlus = high + u64(lowPlus < low)
  const top = h4 + u64(highPlus < high)
  const keep: u64 = (top >> 2) - 1
  const reducedLow = (low & keep) | (lowPlus & ~keep)
  const reducedHigh = (high & keep) | (highPlus & ~keep)

  const sum = reducedLow + s0
  store<u64>(tag, sum)
  store<u64>(tag, reducedHigh + s1 + u64(sum < reducedLow), 8)
  r0 = r1 = r2 = r3 = t1 = t2 = t3 = h0 = h1 = h2 = h3 = h4 = s0 = s1 = 0
}
