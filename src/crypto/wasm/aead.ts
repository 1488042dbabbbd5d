// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8).

import { xorFourBlocks } from './chacha20'
import { PIECE, STREAM, TAG, ZEROS } from './layout'
import { polyBlocks, polyFinish, polyStart } from './poly1305'

/** The key stream of the first call: 64 bytes for the key of Poly1305, the rest for text. */
const FIRST: usize = 192

/** Encrypts `length` bytes at `text` in place and puts the tag behind them. */
export function encrypt(slot: usize, nonce: usize, aad: usize, aadLength: usize, text: usize, length: usize): void {
  start(slot, nonce, aad, aadLength)
  const first = length < FIRST ? length : FIRST
  xor(text, STREAM + 64, first)
  // Each piece is encrypted while the one before it, now ciphertext, goes into the tag.
  let mac = text
  let at = text + first
  let counter = 4
  const end = text + length
  for (; at + 256 <= end; at += 256) {
    xorFourBlocks(slot, nonce, counter, at, at, mac, at)
    mac = at
    counter += 4
  }
  if (at < end) {
    xorFourBlocks(slot, nonce, counter, ZEROS, STREAM, mac, at)
    xor(at, STREAM, end - at)
    mac = at
  }
  polyText(mac, end - mac)
  finish(aadLength, length, end)
}

/** Decrypts in place what `encrypt` made. False when the tag is another; then there is nothing left of the text. */
export function decrypt(slot: usize, nonce: usize, aad: usize, aadLength: usize, text: usize, length: usize): bool {
  start(slot, nonce, aad, aadLength)
  const first = length < FIRST ? length : FIRST
  polyText(text, first)
  xor(text, STREAM + 64, first)
  let at = text + first
  let counter = 4
  const end = text + length
  for (; at + 256 <= end; at += 256) {
    xorFourBlocks(slot, nonce, counter, at, at, at, at + 256)
    counter += 4
  }
  if (at < end) {
    const whole = at + ((end - at) & ~15)
    xorFourBlocks(slot, nonce, counter, ZEROS, STREAM, at, whole)
    polyText(whole, end - whole)
    xor(at, STREAM, end - at)
  }
  finish(aadLength, length, TAG)
  const isRight = !v128.any_true(v128.xor(v128.load(TAG), v128.load(end)))
  if (!isRight) memory.fill(text, 0, length)
  return isRight
}

/** RFC 8439 §2.6: the key of Poly1305 is block 0. Blocks 1 to 3 stay in `STREAM`, for the text. */
function start(slot: usize, nonce: usize, aad: usize, aadLength: usize): void {
  xorFourBlocks(slot, nonce, 0, ZEROS, STREAM, 0, 0)
  polyStart(STREAM)
  polyText(aad, aadLength)
}

function xor(text: usize, stream: usize, length: usize): void {
  let i: usize = 0
  for (; i + 16 <= length; i += 16) v128.store(text + i, v128.xor(v128.load(text + i), v128.load(stream + i)))
  for (; i < length; i++) store<u8>(text + i, load<u8>(text + i) ^ load<u8>(stream + i))
}

/** RFC 8439 §2.8: additional data and ciphertext are filled up with zeros to whole blocks. */
function polyText(text: usize, length: usize): void {
  const whole = length & ~15
  polyBlocks(text, whole)
  if (whole === length) return
  v128.store(PIECE, i32x4.splat(0))
  memory.copy(PIECE, text + whole, length - whole)
  polyBlocks(PIECE, 16)
}

/** RFC 8439 §2.8: the two lengths are the last block. */
function finish(aadLength: usize, length: usize, tag: usize): void {
  store<u64>(PIECE, aadLength)
  store<u64>(PIECE, length, 8)
  polyBlocks(PIECE, 16)
  polyFinish(tag)
  forget()
}

/** No key stream stays behind. */
function forget(): void {
  for (let i: usize = 0; i < 256; i += 16) v128.store(STREAM + i, i32x4.splat(0))
}
