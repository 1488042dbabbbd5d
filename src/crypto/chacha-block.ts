// The ChaCha20 block function for header masks (RFC 8439 §2.3, RFC 9001 §5.4.4).
//
// The sample is the counter, so any of its 2^32 values may come from the network; a stream cipher that refuses the last
// one, as most do, would let a peer cause an exception. And a mask needs two words of one block.

/** Reads the little-endian words of a 32-byte key. */
export function chachaKey(key: Uint8Array): Uint32Array {
  const words = new Uint32Array(8)
  for (let i = 0; i < 8; i++) words[i] = littleEndian(key, 4 * i)
  return words
}

/** Writes the first 8 bytes of the key stream block for counter and nonce at `sample[at, at + 16)` into `out`. */
export function chachaMask(key: Uint32Array, sample: Uint8Array, at: number, out: Uint8Array): void {
  state.set(constants)
  state.set(key, 4)
  for (let i = 0; i < 4; i++) state[12 + i] = littleEndian(sample, at + 4 * i)
  for (let round = 0; round < 20; round += 2) doubleRound(state)
  // RFC 8439 §2.3: the input is added to the result; words 0 and 1 of the input are constants.
  putLittleEndian(out, 0, (state[0] as number) + (constants[0] as number))
  putLittleEndian(out, 4, (state[1] as number) + (constants[1] as number))
  state.fill(0)
}

/** RFC 8439 §2.3: four columns, four diagonals. */
function doubleRound(x: Uint32Array): void {
  quarterRound(x, 0, 4, 8, 12)
  quarterRound(x, 1, 5, 9, 13)
  quarterRound(x, 2, 6, 10, 14)
  quarterRound(x, 3, 7, 11, 15)
  quarterRound(x, 0, 5, 10, 15)
  quarterRound(x, 1, 6, 11, 12)
  quarterRound(x, 2, 7, 8, 13)
  quarterRound(x, 3, 4, 9, 14)
}

/** RFC 8439 §2.1. */
function quarterRound(x: Uint32Array, ia: number, ib: number, ic: number, id: number): void {
  let a = x[ia] as number
  let b = x[ib] as number
  let c = x[ic] as number
  let d = x[id] as number
  a = (a + b) | 0
  d = rotate(d ^ a, 16)
  c = (c + d) | 0
  b = rotate(b ^ c, 12)
  a = (a + b) | 0
  d = rotate(d ^ a, 8)
  c = (c + d) | 0
  b = rotate(b ^ c, 7)
  x[ia] = a
  x[ib] = b
  x[ic] = c
  x[id] = d
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

export function littleEndian(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

export function putLittleEndian(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
}

/** "expand 32-byte k" */
const constants = Uint32Array.of(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)

/** One block at a time: nothing here can be interrupted. */
const state = new Uint32Array(16)
