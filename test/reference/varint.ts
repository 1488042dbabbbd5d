// The slow twin of the varint code (RFC 9000 §16, A.1): exact, in BigInt.

export function encodeVarint(value: bigint, size: number): Uint8Array {
  const prefix = BigInt(Math.log2(size))
  let rest = value | (prefix << BigInt(8 * size - 2))
  const bytes = new Uint8Array(size)
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

export function decodeVarint(bytes: Uint8Array): { value: bigint; size: number } {
  const first = bytes[0] as number
  const size = 1 << (first >> 6)
  let value = BigInt(first & 0x3f)
  for (let i = 1; i < size; i++) value = (value << 8n) | BigInt(bytes[i] as number)
  return { value, size }
}

export function shortestSize(value: bigint): number {
  return [1, 2, 4, 8].find(size => value < 1n << BigInt(8 * size - 2)) as number
}

/** The smallest double that is not below `value`. */
export function roundedUp(value: bigint): number {
  const nearest = Number(value)
  if (BigInt(nearest) >= value) return nearest
  const step = 2 ** (Math.floor(Math.log2(nearest)) - 52)
  return nearest + step
}
