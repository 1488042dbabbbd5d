// HKDF (RFC 5869) and the labelled form TLS and QUIC use (RFC 8446 §7.1).

import type { CryptoBackend } from './backend.ts'
import type { HashName } from './cipher-suite.ts'

/** RFC 5869 §2.2: a pseudorandom key from input keying material. */
export function hkdfExtract(backend: CryptoBackend, hash: HashName, salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return backend.hmac(hash, salt, ikm)
}

/** RFC 5869 §2.3: `length` bytes of key from a pseudorandom key. */
export function hkdfExpand(
  backend: CryptoBackend,
  hash: HashName,
  prk: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const message = new Uint8Array(info.length + 1)
  message.set(info)
  return expand(backend, hash, prk, message, length)
}

/** RFC 8446 §7.1: HKDF-Expand whose info names its purpose; `label` comes without the "tls13 " in front. */
export function hkdfExpandLabel(
  backend: CryptoBackend,
  hash: HashName,
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const message = context.length === 0 ? messageWithoutContext(label, length) : labelledMessage(label, context, length)
  return expand(backend, hash, secret, message, length)
}

/** No context: all of QUIC's own labels (RFC 9001 §5.1). */
export const noContext: Uint8Array = new Uint8Array(0)

/** `message` is the info with one byte free behind it, for the counter of the first block. */
function expand(
  backend: CryptoBackend,
  hash: HashName,
  prk: Uint8Array,
  message: Uint8Array,
  length: number,
): Uint8Array {
  const hashLength = hashLengths[hash]
  if (length > 255 * hashLength) throw new RangeError(`HKDF cannot expand to ${length} bytes`)
  message[message.length - 1] = 1
  let block = backend.hmac(hash, prk, message)
  // Nearly every key and secret is one block or less.
  if (length === hashLength) return block
  if (length < hashLength) return block.slice(0, length)

  const output = new Uint8Array(length)
  const chained = new Uint8Array(hashLength + message.length)
  chained.set(message, hashLength)
  output.set(block)
  for (let done = hashLength, counter = 2; done < length; done += hashLength, counter++) {
    chained.set(block)
    chained[chained.length - 1] = counter
    block = backend.hmac(hash, prk, chained)
    output.set(done + hashLength <= length ? block : block.subarray(0, length - done), done)
  }
  return output
}

/** Labels without context are those of TLS and QUIC themselves: a few constants, made again for every packet key. */
function messageWithoutContext(label: string, length: number): Uint8Array {
  const known = constantMessages.get(label)
  if (known !== undefined && known[1] === (length & 0xff) && known[0] === length >>> 8) return known
  const message = labelledMessage(label, noContext, length)
  if (constantMessages.size < MAX_CONSTANT_MESSAGES) constantMessages.set(label, message)
  return message
}

/** HkdfLabel of RFC 8446 §7.1 without context, and the counter of the only block that is wanted. */
export function singleBlockLabel(label: string, length: number): Uint8Array {
  const message = labelledMessage(label, noContext, length)
  message[message.length - 1] = 1
  return message
}

/** HkdfLabel of RFC 8446 §7.1, and the free byte. */
function labelledMessage(label: string, context: Uint8Array, length: number): Uint8Array {
  const labelLength = prefix.length + label.length
  if (labelLength > 255 || context.length > 255) throw new RangeError('HkdfLabel holds at most 255 bytes of each part')
  const message = new Uint8Array(4 + labelLength + context.length + 1)
  message[0] = length >>> 8
  message[1] = length
  message[2] = labelLength
  message.set(prefix, 3)
  let at = 3 + prefix.length
  for (let i = 0; i < label.length; i++) message[at++] = label.charCodeAt(i)
  message[at++] = context.length
  message.set(context, at)
  return message
}

const constantMessages = new Map<string, Uint8Array>()
/** Exporters bring labels of their callers; those must not fill memory. */
const MAX_CONSTANT_MESSAGES = 32

const hashLengths: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48 }

/** "tls13 " */
const prefix = Uint8Array.of(0x74, 0x6c, 0x73, 0x31, 0x33, 0x20)
