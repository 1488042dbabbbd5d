// Packets protected by the keys of a slot (RFC 9001 §5.3, §5.4).

import { decrypt, encrypt } from './aead'
import { aesMask } from './aes'
import { chachaMask } from './chacha20'
import { gcmDecrypt, gcmEncrypt } from './gcm'
import { AES, MASK, NONCE, SLOT_CIPHER, SLOT_HEADER_KEY, SLOT_IV } from './layout'

const TAG_LENGTH: usize = 16

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
  if (isAes(slot)) gcmEncrypt(slot, packet, payload - packet, payload, end - payload)
  else encrypt(slot, NONCE, packet, payload - packet, payload, end - payload)
  headerMask(slot, v128.load(number + 4))
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
  const length = end - TAG_LENGTH - payload
  return isAes(slot)
    ? gcmDecrypt(slot, packet, payload - packet, payload, length)
    : decrypt(slot, NONCE, packet, payload - packet, payload, length)
}

/** RFC 9001 §5.4: the mask for a sample given as four words, to `MASK`. */
export function mask(slot: usize, sample0: i32, sample1: i32, sample2: i32, sample3: i32): void {
  let sample = i32x4.splat(sample0)
  sample = i32x4.replace_lane(sample, 1, sample1)
  sample = i32x4.replace_lane(sample, 2, sample2)
  sample = i32x4.replace_lane(sample, 3, sample3)
  headerMask(slot, sample)
}

/** RFC 9001 §5.4.3, §5.4.4. */
function headerMask(slot: usize, sample: v128): void {
  if (isAes(slot)) aesMask(slot + SLOT_HEADER_KEY, sample)
  else chachaMask(slot + SLOT_HEADER_KEY, sample)
}

function isAes(slot: usize): bool {
  return load<u32>(slot, SLOT_CIPHER) === AES
}

/** RFC 9001 §5.3: the packet number, 62 bits in network order, laid over the end of the IV. */
function setNonce(slot: usize, high: u32, low: u32): void {
  store<u32>(NONCE, load<u32>(slot + SLOT_IV))
  store<u32>(NONCE, load<u32>(slot + SLOT_IV, 4) ^ bswap(high), 4)
  store<u32>(NONCE, load<u32>(slot + SLOT_IV, 8) ^ bswap(low), 8)
}
