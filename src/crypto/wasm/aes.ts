// AES-128 (FIPS 197) by a table, so that the time it takes depends on its key: for Initial packets alone, whose keys
// everybody knows who sees the first one (RFC 9001 §5.2). Columns are words, row 0 in the low byte.

import { CIPHER_BLOCK, MASK, ROUND_KEYS, ROUND_TABLE } from './layout'

const ROUNDS: usize = 10

/** RFC 9001 §5.4.3: the header mask for a sample, to `MASK`. */
export function aesMask(key: usize, sample: v128): void {
  expandKey(key)
  encryptBlock(
    i32x4.extract_lane(sample, 0),
    i32x4.extract_lane(sample, 1),
    i32x4.extract_lane(sample, 2),
    i32x4.extract_lane(sample, 3),
  )
  v128.store(MASK, v128.load(CIPHER_BLOCK))
}

/** FIPS 197 §5.2: the key of 16 bytes at `key` becomes `ROUND_KEYS`. */
export function expandKey(key: usize): void {
  if (!isTableMade) makeTable()
  v128.store(ROUND_KEYS, v128.load(key))
  let constant: u32 = 1
  for (let at = ROUND_KEYS; at < ROUND_KEYS + 16 * ROUNDS; at += 16) {
    const last = load<u32>(at, 12)
    const w0 = load<u32>(at) ^ substituted(last >> 8, last >> 16, last >> 24, last) ^ constant
    const w1 = load<u32>(at, 4) ^ w0
    const w2 = load<u32>(at, 8) ^ w1
    store<u32>(at, w0, 16)
    store<u32>(at, w1, 20)
    store<u32>(at, w2, 24)
    store<u32>(at, last ^ w2, 28)
    constant = doubled(constant)
  }
}

/** FIPS 197 §5.1: the block of these four columns under `ROUND_KEYS`, to `CIPHER_BLOCK`. */
export function encryptBlock(in0: u32, in1: u32, in2: u32, in3: u32): void {
  let c0 = in0 ^ load<u32>(ROUND_KEYS)
  let c1 = in1 ^ load<u32>(ROUND_KEYS, 4)
  let c2 = in2 ^ load<u32>(ROUND_KEYS, 8)
  let c3 = in3 ^ load<u32>(ROUND_KEYS, 12)
  const last = ROUND_KEYS + 16 * ROUNDS
  for (let key = ROUND_KEYS + 16; key < last; key += 16) {
    const r0 = mixed(c0, c1, c2, c3) ^ load<u32>(key)
    const r1 = mixed(c1, c2, c3, c0) ^ load<u32>(key, 4)
    const r2 = mixed(c2, c3, c0, c1) ^ load<u32>(key, 8)
    c3 = mixed(c3, c0, c1, c2) ^ load<u32>(key, 12)
    c0 = r0; c1 = r1; c2 = r2
  }
  store<u32>(CIPHER_BLOCK, substituted(c0, c1 >> 8, c2 >> 16, c3 >> 24) ^ load<u32>(last))
  store<u32>(CIPHER_BLOCK, substituted(c1, c2 >> 8, c3 >> 16, c0 >> 24) ^ load<u32>(last, 4), 4)
  store<u32>(CIPHER_BLOCK, substituted(c2, c3 >> 8, c0 >> 16, c1 >> 24) ^ load<u32>(last, 8), 8)
  store<u32>(CIPHER_BLOCK, substituted(c3, c0 >> 8, c1 >> 16, c2 >> 24) ^ load<u32>(last, 12), 12)
}

/** SubBytes, ShiftRows and MixColumns for one column, whose rows come from four of them (FIPS 197 §5.1.1 to §5.1.3). */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function mixed(row0: u32, row1: u32, row2: u32, row3: u32): u32 {
  return (
    entry(row0) ^ rotl<u32>(entry(row1 >> 8), 8) ^ rotl<u32>(entry(row2 >> 16), 16) ^ rotl<u32>(entry(row3 >> 24), 24)
  )
}

// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function entry(byte: u32): u32 {
  return load<u32>(ROUND_TABLE + (usize(byte & 0xff) << 2))
}

/** SubBytes of the low bytes, which become the rows of a column. */
function substituted(row0: u32, row1: u32, row2: u32, row3: u32): u32 {
  return sBox(row0) | (sBox(row1) << 8) | (sBox(row2) << 16) | (sBox(row3) << 24)
}

/** It stands in the second byte of a table's entry. */
// @ts-ignore: decorators of functions are AssemblyScript's
@inline
function sBox(byte: u32): u32 {
  return u32(load<u8>(ROUND_TABLE + (usize(byte & 0xff) << 2), 1))
}

let isTableMade = false

/** What MixColumns makes of SubBytes of a byte in row 0: 2, 1, 1 and 3 times it. Powers of 3 are all bytes but 0. */
function makeTable(): void {
  let power: u32 = 1
  let inverse: u32 = 1
  do {
    power ^= doubled(power)
    // A third of it: divided by x + 1.
    inverse ^= inverse << 1
    inverse ^= inverse << 2
    inverse = (inverse ^ (inverse << 4)) & 0xff
    if (inverse & 0x80) inverse ^= 0x09
    // FIPS 197 §5.1.1: five rotations of the inverse, added.
    const twice = inverse | (inverse << 8)
    put(power, (twice ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7) ^ 0x63) & 0xff)
  } while (power !== 1)
  put(0, 0x63)
  isTableMade = true
}

function put(byte: u32, substitute: u32): void {
  const two = doubled(substitute)
  store<u32>(ROUND_TABLE + (usize(byte) << 2), two | (substitute << 8) | (substitute << 16) | ((two ^ substitute) << 24))
}

/** FIPS 197 §4.2.1: times x, modulo x^8 + x^4 + x^3 + x + 1. */
function doubled(byte: u32): u32 {
  return ((byte << 1) ^ (byte & 0x80 ? 0x11b : 0)) & 0xff
}
