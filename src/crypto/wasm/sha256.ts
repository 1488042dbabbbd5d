// SHA-256 (FIPS 180-4 §6.2), HMAC (RFC 2104) on it.

import { BLOCK, HASH, HMAC_KEY, IN_KEY, IN_TEXT, IN_TEXT_LENGTH, INNER, INNER_HASH, OUTER, SCHEDULE } from './layout'

/** FIPS 180-4 §4.2.2. */
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

/** FIPS 180-4 §5.3.3. */
const START: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])

/** The hash of `length` bytes at `IN_TEXT`, to `HASH`. */
export function sha256(length: usize): void {
  copy32(HASH, START)
  finish(IN_TEXT, length, length)
}

/** A running hash begins: its value, to `HASH`. */
export function sha256Start(): void {
  copy32(HASH, START)
}

/** Takes whole blocks from `IN_TEXT` into the value at `HASH`. */
export function sha256Blocks(length: usize): void {
  compress(HASH, IN_TEXT, length)
}

/** Ends a running hash of `total` bytes, of which the last `length`, less than a block, are at `IN_TEXT`. */
export function sha256Finish(length: usize, total: usize): void {
  finish(IN_TEXT, length, total)
}

/** RFC 2104: HMAC under the padded key of 64 bytes at `IN_KEY` over `length` bytes at `IN_TEXT`, to `HASH`. */
export function hmacSha256(length: usize): void {
  hmac(IN_TEXT, length)
}

/** The same over a text that lies anywhere. */
export function hmac(text: usize, length: usize): void {
  // A key schedule asks several things of one secret: its pads are hashed once.
  if (!isSameKey()) takeKey()
  copy32(HASH, INNER)
  finish(text, length, 64 + length)
  copy32(INNER_HASH, HASH)
  copy32(HASH, OUTER)
  finish(INNER_HASH, 32, 64 + 32)
}

/** Nothing stays of keys and of what was hashed. */
export function forgetHashes(): void {
  memory.fill(SCHEDULE, 0, INNER_HASH + 32 - SCHEDULE)
  memory.fill(IN_KEY, 0, IN_TEXT + IN_TEXT_LENGTH - IN_KEY)
  isKeyTaken = false
}

/** Is `HMAC_KEY` the key of `INNER` and `OUTER`? */
let isKeyTaken = false

/** RFC 2104 §4: the values after the pads are all that is needed of a key. */
function takeKey(): void {
  copy32(HMAC_KEY, IN_KEY)
  copy32(HMAC_KEY + 32, IN_KEY + 32)
  pad(0x3636363636363636, INNER)
  pad(0x5c5c5c5c5c5c5c5c, OUTER)
  isKeyTaken = true
}

function pad(byte: u64, value: usize): void {
  for (let i: usize = 0; i < 64; i += 8) store<u64>(BLOCK + i, load<u64>(HMAC_KEY + i) ^ byte)
  copy32(value, START)
  compress(value, BLOCK, 64)
}

/** Takes as long for every pair of keys. */
function isSameKey(): bool {
  let difference: u64 = 0
  for (let i: usize = 0; i < 64; i += 8) difference |= load<u64>(HMAC_KEY + i) ^ load<u64>(IN_KEY + i)
  return isKeyTaken && difference === 0
}

/** FIPS 180-4 §5.1.1: the rest of a message of `total` bytes and its padding; then `HASH` holds the hash. */
function finish(from: usize, length: usize, total: usize): void {
  const whole = length & ~63
  compress(HASH, from, whole)
  const rest = length - whole
  const padded: usize = rest < 56 ? 64 : 128
  for (let i: usize = 0; i < padded; i += 16) v128.store(BLOCK + i, i32x4.splat(0))
  memory.copy(BLOCK, from + whole, rest)
  store<u8>(BLOCK + rest, 0x80)
  store<u64>(BLOCK + padded - 8, bswap<u64>(u64(total) << 3))
  compress(HASH, BLOCK, padded)
  for (let i: usize = 0; i < 32; i += 4) store<u32>(HASH + i, bswap(load<u32>(HASH + i)))
}

function copy32(to: usize, from: usize): void {
  v128.store(to, v128.load(from))
  v128.store(to, v128.load(from, 16), 16)
}

/** FIPS 180-4 §6.2.2 for each block. */
function compress(state: usize, from: usize, length: usize): void {
  for (const end = from + length; from < end; from += 64) {
    for (let t: usize = 0; t < 64; t += 4) store<u32>(SCHEDULE + t, bswap(load<u32>(from + t)))
    for (let t: usize = SCHEDULE; t < SCHEDULE + 192; t += 4) {
      const w15 = load<u32>(t, 4)
      const w2 = load<u32>(t, 56)
      const sigma0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >> 3)
      const sigma1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >> 10)
      store<u32>(t, sigma1 + load<u32>(t, 36) + sigma0 + load<u32>(t), 64)
    }
    let a = load<u32>(state), b = load<u32>(state, 4), c = load<u32>(state, 8), d = load<u32>(state, 12)
    let e = load<u32>(state, 16), f = load<u32>(state, 20), g = load<u32>(state, 24), h = load<u32>(state, 28)
    for (let t: usize = 0; t < 256; t += 4) {
      const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)
      const t1 = h + sum1 + (g ^ (e & (f ^ g))) + load<u32>(K + t) + load<u32>(SCHEDULE + t)
      const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)
      const t2 = sum0 + ((a & b) | (c & (a | b)))
      h = g; g = f; f = e; e = d + t1
      d = c; c = b; b = a; a = t1 + t2
    }
    store<u32>(state, load<u32>(state) + a)
    store<u32>(state, load<u32>(state, 4) + b, 4)
    store<u32>(state, load<u32>(state, 8) + c, 8)
    store<u32>(state, load<u32>(state, 12) + d, 12)
    store<u32>(state, load<u32>(state, 16) + e, 16)
    store<u32>(state, load<u32>(state, 20) + f, 20)
    store<u32>(state, load<u32>(state, 24) + g, 24)
    store<u32>(state, load<u32>(state, 28) + h, 28)
  }
}
