// ChaCha20 (RFC 8439 §2.1-2.4). No branch and no address depends on a secret.

import { MASK } from './layout'
import { polyBlock } from './poly1305'

/** "expand 32-byte k" (RFC 8439 §2.3). */
const CONSTANT0: i32 = 0x61707865
const CONSTANT1: i32 = 0x3320646e
const CONSTANT2: i32 = 0x79622d32
const CONSTANT3: i32 = 0x6b206574

/**
 * RFC 8439 §2.4 for four blocks side by side, one in each lane of sixteen vectors: 256 bytes at `from`, with the key
 * stream of the blocks `counter` to `counter + 3` laid over them, go to `to`.
 *
 * Meanwhile Poly1305 takes in the text from `mac` to `macEnd`, at most 20 blocks: it multiplies where this shuffles, a
 * processor does both at the same time.
 */
export function xorFourBlocks(
  key: usize,
  nonce: usize,
  counter: i32,
  from: usize,
  to: usize,
  mac: usize,
  macEnd: usize,
): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3))
  // RFC 8439 §2.3: constants, key, counter, nonce.
  let x0 = i32x4.splat(CONSTANT0), x1 = i32x4.splat(CONSTANT1), x2 = i32x4.splat(CONSTANT2), x3 = i32x4.splat(CONSTANT3)
  let x4 = v128.load32_splat(key, 0), x5 = v128.load32_splat(key, 4)
  let x6 = v128.load32_splat(key, 8), x7 = v128.load32_splat(key, 12)
  let x8 = v128.load32_splat(key, 16), x9 = v128.load32_splat(key, 20)
  let x10 = v128.load32_splat(key, 24), x11 = v128.load32_splat(key, 28)
  let x12 = counters
  let x13 = v128.load32_splat(nonce, 0), x14 = v128.load32_splat(nonce, 4), x15 = v128.load32_splat(nonce, 8)

  // RFC 8439 §2.3: ten times four quarter rounds on columns and four on diagonals.
  for (let i = 0; i < 10; i++) {
    // RFC 8439 §2.1, (0,4,8,12) (1,5,9,13) (2,6,10,14) (3,7,11,15)
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7)
    x12 = rot16(v128.xor(x12, x0)); x13 = rot16(v128.xor(x13, x1)); x14 = rot16(v128.xor(x14, x2)); x15 = rot16(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15)
    x4 = rot12(v128.xor(x4, x8)); x5 = rot12(v128.xor(x5, x9)); x6 = rot12(v128.xor(x6, x10)); x7 = rot12(v128.xor(x7, x11))
    x0 = i32x4.add(x0, x4); x1 = i32x4.add(x1, x5); x2 = i32x4.add(x2, x6); x3 = i32x4.add(x3, x7)
    x12 = rot8(v128.xor(x12, x0)); x13 = rot8(v128.xor(x13, x1)); x14 = rot8(v128.xor(x14, x2)); x15 = rot8(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12); x9 = i32x4.add(x9, x13); x10 = i32x4.add(x10, x14); x11 = i32x4.add(x11, x15)
    x4 = rot7(v128.xor(x4, x8)); x5 = rot7(v128.xor(x5, x9)); x6 = rot7(v128.xor(x6, x10)); x7 = rot7(v128.xor(x7, x11))
    if (mac < macEnd) {
      polyBlock(mac)
      mac += 16
    }
    // RFC 8439 §2.1, (0,5,10,15) (1,6,11,12) (2,7,8,13) (3,4,9,14)
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4)
    x15 = rot16(v128.xor(x15, x0)); x12 = rot16(v128.xor(x12, x1)); x13 = rot16(v128.xor(x13, x2)); x14 = rot16(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14)
    x5 = rot12(v128.xor(x5, x10)); x6 = rot12(v128.xor(x6, x11)); x7 = rot12(v128.xor(x7, x8)); x4 = rot12(v128.xor(x4, x9))
    x0 = i32x4.add(x0, x5); x1 = i32x4.add(x1, x6); x2 = i32x4.add(x2, x7); x3 = i32x4.add(x3, x4)
    x15 = rot8(v128.xor(x15, x0)); x12 = rot8(v128.xor(x12, x1)); x13 = rot8(v128.xor(x13, x2)); x14 = rot8(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15); x11 = i32x4.add(x11, x12); x8 = i32x4.add(x8, x13); x9 = i32x4.add(x9, x14)
    x5 = rot7(v128.xor(x5, x10)); x6 = rot7(v128.xor(x6, x11)); x7 = rot7(v128.xor(x7, x8)); x4 = rot7(v128.xor(x4, x9))
    if (mac < macEnd) {
      polyBlock(mac)
      mac += 16
    }
  }

  // RFC 8439 §2.3: the input is added to the result.
  x0 = i32x4.add(x0, i32x4.splat(CONSTANT0)); x1 = i32x4.add(x1, i32x4.splat(CONSTANT1))
  x2 = i32x4.add(x2, i32x4.splat(CONSTANT2)); x3 = i32x4.add(x3, i32x4.splat(CONSTANT3))
  x4 = i32x4.add(x4, v128.load32_splat(key, 0)); x5 = i32x4.add(x5, v128.load32_splat(key, 4))
  x6 = i32x4.add(x6, v128.load32_splat(key, 8)); x7 = i32x4.add(x7, v128.load32_splat(key, 12))
  x8 = i32x4.add(x8, v128.load32_splat(key, 16)); x9 = i32x4.add(x9, v128.load32_splat(key, 20))
  x10 = i32x4.add(x10, v128.load32_splat(key, 24)); x11 = i32x4.add(x11, v128.load32_splat(key, 28))
  x12 = i32x4.add(x12, counters); x13 = i32x4.add(x13, v128.load32_splat(nonce, 0))
  x14 = i32x4.add(x14, v128.load32_splat(nonce, 4)); x15 = i32x4.add(x15, v128.load32_splat(nonce, 8))

  // Lanes become blocks again, four words of each at a time.
  xorWords(x0, x1, x2, x3, from, to)
  xorWords(x4, x5, x6, x7, from + 16, to + 16)
  xorWords(x8, x9, x10, x11, from + 32, to + 32)
  xorWords(x12, x13, x14, x15, from + 48, to + 48)
}

/** Four words of four blocks: transposed, they are 16 bytes of each block, and blocks are 64 bytes apart. */
function xorWords(a: v128, b: v128, c: v128, d: v128, from: usize, to: usize): void {
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.xor(v128.load(from), v128.shuffle<i64>(ab, cd, 0, 2)))
  v128.store(to, v128.xor(v128.load(from, 64), v128.shuffle<i64>(ab, cd, 1, 3)), 64)
  v128.store(to, v128.xor(v128.load(from, 128), v128.shuffle<i64>(abHigh, cdHigh, 0, 2)), 128)
  v128.store(to, v128.xor(v128.load(from, 192), v128.shuffle<i64>(abHigh, cdHigh, 1, 3)), 192)
}

/**
 * RFC 9001 §5.4.4: the first 8 bytes of the block whose counter and nonce are the sample, to `MASK`. One block alone:
 * its four rows in four vectors, turned so that diagonals become columns.
 */
export function chachaMask(key: usize, sample: v128): void {
  const row0 = i32x4(CONSTANT0, CONSTANT1, CONSTANT2, CONSTANT3)
  let a = row0
  let b = v128.load(key)
  let c = v128.load(key, 16)
  let d = sample
  for (let i = 0; i < 20; i++) {
    a = i32x4.add(a, b); d = rot16(v128.xor(d, a))
    c = i32x4.add(c, d); b = rot12(v128.xor(b, c))
    a = i32x4.add(a, b); d = rot8(v128.xor(d, a))
    c = i32x4.add(c, d); b = rot7(v128.xor(b, c))
    if (i & 1) {
      b = v128.shuffle<i32>(b, b, 3, 0, 1, 2); c = v128.shuffle<i32>(c, c, 2, 3, 0, 1); d = v128.shuffle<i32>(d, d, 1, 2, 3, 0)
    } else {
      b = v128.shuffle<i32>(b, b, 1, 2, 3, 0); c = v128.shuffle<i32>(c, c, 2, 3, 0, 1); d = v128.shuffle<i32>(d, d, 3, 0, 1, 2)
    }
  }
  v128.store64_lane(MASK, i32x4.add(a, row0), 0)
}

function rot16(x: v128): v128 {
  return v128.shuffle<i16>(x, x, 1, 0, 3, 2, 5, 4, 7, 6)
}

function rot12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20))
}

function rot8(x: v128): v128 {
  return v128.or(i32x4.shl(x, 8), i32x4.shr_u(x, 24))
}

function rot7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25))
}
