// Writing DER (ITU-T X.690), inside out: contents first, then what is around them.

/** One element: tag, length and the parts joined. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const header = [tag, ...lengthBytes(length)]
  const out = new Uint8Array(header.length + length)
  out.set(header)
  let at = header.length
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** The contents of an OBJECT IDENTIFIER given in the dotted form. */
export function oidContents(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]]
  return Uint8Array.from([first * 40 + second, ...rest].flatMap(base128))
}

/** The contents of an INTEGER that is not negative, from its bytes: no zeros in front but one that keeps the sign. */
export function integerContents(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex(byte => byte !== 0)
  if (start < 0) return Uint8Array.of(0)
  const digits = bytes.subarray(start)
  return (digits[0] as number) < 0x80 ? digits : Uint8Array.of(0, ...digits)
}

export function asciiContents(text: string): Uint8Array {
  return Uint8Array.from(text, character => character.charCodeAt(0))
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  if (length < 0x100) return [0x81, length]
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff]
  return [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
}

function base128(arc: number): number[] {
  const bytes = [arc % 128]
  for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80)
  return bytes
}
