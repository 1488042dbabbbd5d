// AES-128-GCM (NIST SP 800-38D) for packets: `NONCE` is the nonce. Elements of its field are polynomials whose first
// coefficient is the first bit of the first byte, so that words are loaded with their bytes swapped and stand in reverse.

import { encryptBlock, expandKey } from './aes'
import { CIPHER_BLOCK, NONCE, PIECE, TAG } from './layout'

/** Encrypts `length` bytes at `text` in place and puts the tag behind them. */
export function gcmEncrypt(key: usize, aad: usize, aadLength: usize, text: usize, length: usize): void {
  start(key, aad, aadLength)
  xorCounters(text, length)
  hashText(text, length)
  finish(aadLength, length, text + length)
}

/** Decrypts in place what `gcmEncrypt` made. False, and nothing changed, when the tag is another. */
export function gcmDecrypt(key: usize, aad: usize, aadLength: usize, text: usize, length: usize): bool {
  start(key, aad, aadLength)
  hashText(text, length)
  finish(aadLength, length, TAG)
  if (v128.any_true(v128.xor(v128.load(TAG), v128.load(text + length)))) return false
  xorCounters(text, length)
  return true
}

/** GHASH: its key H, the sum of both halves, and those in reverse; the value so far. */
let h0: u64 = 0, h1: u64 = 0, h01: u64 = 0
let h0Reversed: u64 = 0, h1Reversed: u64 = 0, h01Reversed: u64 = 0
let y0: u64 = 0, y1: u64 = 0

/** SP 800-38D §7.1: H is what the cipher makes of zeros. */
function start(key: usize, aad: usize, aadLength: usize): void {
  expandKey(key)
  encryptBlock(0, 0, 0, 0)
  h1 = bswap(load<u64>(CIPHER_BLOCK))
  h0 = bswap(load<u64>(CIPHER_BLOCK, 8))
  h01 = h0 ^ h1
  h0Reversed = reverse(h0)
  h1Reversed = reverse(h1)
  h01Reversed = h0Reversed ^ h1Reversed
  y0 = y1 = 0
  hashText(aad, aadLength)
}

/** SP 800-38D §6.5: counters of the text begin with 2, for 1 hides the tag. */
function xorCounters(text: usize, length: usize): void {
  let counter: u32 = 2
  const whole = text + (length & ~15)
  let at = text
  for (; at < whole; at += 16) {
    encryptCounter(counter++)
    v128.store(at, v128.xor(v128.load(at), v128.load(CIPHER_BLOCK)))
  }
  if (at === text + length) return
  encryptCounter(counter)
  for (let i: usize = 0; at + i < text + length; i++) store<u8>(at + i, load<u8>(at + i) ^ load<u8>(CIPHER_BLOCK + i))
}

function encryptCounter(counter: u32): void {
  encryptBlock(load<u32>(NONCE), load<u32>(NONCE, 4), load<u32>(NONCE, 8), bswap(counter))
}

/** SP 800-38D §6.4, with zeros up to a whole block. */
function hashText(text: usize, length: usize): void {
  const whole = text + (length & ~15)
  for (let at = text; at < whole; at += 16) hashBlock(at)
  if (whole === text + length) return
  v128.store(PIECE, i32x4.splat(0))
  memory.copy(PIECE, whole, length & 15)
  hashBlock(PIECE)
}

/** SP 800-38D §7.1: the lengths in bits are hashed last, and block 1 of the key stream lies over the tag. */
function finish(aadLength: usize, length: usize, tag: usize): void {
  store<u64>(PIECE, bswap<u64>(u64(aadLength) << 3))
  store<u64>(PIECE, bswap<u64>(u64(length) << 3), 8)
  hashBlock(PIECE)
  encryptCounter(1)
  store<u64>(tag, bswap(y1) ^ load<u64>(CIPHER_BLOCK))
  store<u64>(tag, bswap(y0) ^ load<u64>(CIPHER_BLOCK, 8), 8)
}

/** SP 800-38D §6.3: Y = (Y + block) * H modulo x^128 + x^7 + x^2 + x + 1; three products instead of four (Karatsuba). */
function hashBlock(at: usize): void {
  const a1 = y1 ^ bswap(load<u64>(at))
  const a0 = y0 ^ bswap(load<u64>(at, 8))
  const a0Reversed = reverse(a0)
  const a1Reversed = reverse(a1)

  const low = product(a0, h0)
  const high = product(a1, h1)
  const middle = product(a0 ^ a1, h01) ^ low ^ high
  const lowReversed = product(a0Reversed, h0Reversed)
  const highReversed = product(a1Reversed, h1Reversed)
  const middleReversed = product(a0Reversed ^ a1Reversed, h01Reversed) ^ lowReversed ^ highReversed

  // 255 bits, the highest of them bit 254: they belong one place higher, where the first of 256 is.
  let v0 = low
  let v1 = middle ^ (reverse(lowReversed) >> 1)
  let v2 = high ^ (reverse(middleReversed) >> 1)
  let v3 = reverse(highReversed) >> 1
  v3 = (v3 << 1) | (v2 >> 63)
  v2 = (v2 << 1) | (v1 >> 63)
  v1 = (v1 << 1) | (v0 >> 63)
  v0 <<= 1

  // What is beyond x^127 comes back at 0, 1, 2 and 7 places from its own.
  v1 ^= (v0 << 63) ^ (v0 << 62) ^ (v0 << 57)
  v2 ^= v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7) ^ (v1 << 63) ^ (v1 << 62) ^ (v1 << 57)
  v3 ^= v1 ^ (v1 >> 1) ^ (v1 >> 2) ^ (v1 >> 7)
  y0 = v2
  y1 = v3
}

const EVERY_FOURTH: u64 = 0x1111111111111111

/**
 * The lower 64 bits of a product without carries: of ordinary products of every fourth bit, whose sums of up to sixteen
 * ones stay in the three bits between, or are beyond the 64.
 */
function product(x: u64, y: u64): u64 {
  const a0 = x & EVERY_FOURTH, a1 = x & (EVERY_FOURTH << 1), a2 = x & (EVERY_FOURTH << 2), a3 = x & (EVERY_FOURTH << 3)
  const b0 = y & EVERY_FOURTH, b1 = y & (EVERY_FOURTH << 1), b2 = y & (EVERY_FOURTH << 2), b3 = y & (EVERY_FOURTH << 3)
  return (
    (((a0 * b0) ^ (a1 * b3) ^ (a2 * b2) ^ (a3 * b1)) & EVERY_FOURTH) |
    (((a0 * b1) ^ (a1 * b0) ^ (a2 * b3) ^ (a3 * b2)) & (EVERY_FOURTH << 1)) |
    (((a0 * b2) ^ (a1 * b1) ^ (a2 * b0) ^ (a3 * b3)) & (EVERY_FOURTH << 2)) |
    (((a0 * b3) ^ (a1 * b2) ^ (a2 * b1) ^ (a3 * b0)) & (EVERY_FOURTH << 3))
  )
}

/** The last bit first. */
function reverse(word: u64): u64 {
  let x = bswap(word)
  x = ((x & 0x0f0f0f0f0f0f0f0f) << 4) | ((x >> 4) & 0x0f0f0f0f0f0f0f0f)
  x = ((x & 0x3333333333333333) << 2) | ((x >> 2) & 0x3333333333333333)
  return ((x & 0x5555555555555555) << 1) | ((x >> 1) & 0x5555555555555555)
}
