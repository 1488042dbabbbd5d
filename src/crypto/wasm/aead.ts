// AEAD_CHACHA20_POLY1305 (RFC 8439 §2.8), and packets protected by it (RFC 9001 §5.3, §5.4).

import { headerMask, xorFourBlocks } from './chacha20'
import { MASK, NONCE, PIECE, SLOT_HEADER_KEY, SLOT_IV, STREAM, TAG, ZEROS } from './layout'
import { polyBlocks, polyFinish, polyStart } from './poly1305'

const TAG_LENGTH: usize = 16
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

/** RFC 9001 §5.3, §5.4: seals the packet from `packet` to `end` in place, its number in `numberLength` bytes. */
export function sealPacket(
  slot: usize,
  packet: usize,
  number: usize,
  numberLength: usize,
  end: usize,
  numberHigh: u32,
  numberLow: u32,
): void {
  const payload = number + numberLength
  setNonce(slot, numberHigh, numberLow)
  encrypt(slot, NONCE, packet, payload - packet, payload, end - payload)
  headerMask(slot + SLOT_HEADER_KEY, v128.load(number + 4))
  // RFC 9001 §5.4.1: a long header hides four bits, a short one five.
  const first = load<u8>(packet)
  store<u8>(packet, first ^ (load<u8>(MASK) & (first & 0x80 ? 0x0f : 0x1f)))
  for (let i: usize = 0; i < numberLength; i++) store<u8>(number + i, load<u8>(number + i) ^ load<u8>(MASK + i, 1))
}

/** Opens the packet, whose header is unmasked, in place. */
export function openPacket(
  slot: usize,
  packet: usize,
  payload: usize,
  end: usize,
  numberHigh: u32,
  numberLow: u32,
): bool {
  setNonce(slot, numberHigh, numberLow)
  return decrypt(slot, NONCE, packet, payload - packet, payload, end - TAG_LENGTH - payload)
}

/** RFC 9001 §5.4.4: the mask for a sample given as four words, to `MASK`. */
export function mask(slot: usize, sample0: i32, sample1: i32, sample2: i32, sample3: i32): void {
  let sample = i32x4.splat(sample0)
  sample = i32x4.replace_lane(sample, 1, sample1)
  sample = i32x4.replace_lane(sample, 2, sample2)
  sample = i32x4.replace_lane(sample, 3, sample3)
  headerMask(slot + SLOT_HEADER_KEY, sample)
}

/** RFC 9001 §5.3: the packet number, 62 bits in network order, laid over the end of the IV. */
function setNonce(slot: usize, high: u32, low: u32): void {
  store<u32>(NONCE, load<u32>(slot + SLOT_IV))
  store<u32>(NONCE, load<u32>(slot + SLOT_IV, 4) ^ bswap(high), 4)
  store<u32>(NONCE, load<u32>(slot + SLOT_IV, 8) ^ bswap(low), 8)
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
