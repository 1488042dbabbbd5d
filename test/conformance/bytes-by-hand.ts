// Frames and transport parameters put together value by value, right or wrong.

import { Writer } from '../../src/bytes/writer.ts'

/** A number is a varint in its shortest form, a bigint one of 8 bytes, bytes are themselves. */
export type Part = number | bigint | Uint8Array

export function bytes(...parts: readonly Part[]): Uint8Array {
  const writer = new Writer(memory)
  for (const part of parts) {
    if (typeof part === 'number') writer.varint(part)
    else writer.put(typeof part === 'bigint' ? varint8(part) : part)
  }
  return writer.finish().slice()
}

/** Written again and again. */
const memory = new Uint8Array(70_000)

/** Largest value of a varint. */
export const MAX_VARINT: bigint = 2n ** 62n - 1n

export function zeros(length: number): Uint8Array {
  return new Uint8Array(length)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}

/** A transport parameter of any content (RFC 9000 §18). */
export function parameter(id: number, ...value: readonly Part[]): Uint8Array {
  const content = bytes(...value)
  return bytes(id, content.length, content)
}

function varint8(value: bigint): Uint8Array {
  const result = new Uint8Array(8)
  new DataView(result.buffer).setBigUint64(0, value | (3n << 62n))
  return result
}
