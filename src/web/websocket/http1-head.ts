// The heads of HTTP/1.1 that libraries for WebSocket read and write: HTTP/3 says the same in other words (RFC 8441 §5).

import type { Field } from '../../http3/field.ts'

export interface Http1Head {
  /** `GET /chat HTTP/1.1`, `HTTP/1.1 101 Switching Protocols`. */
  readonly start: string
  readonly fields: readonly Field[]
}

/** More bytes than this are no head. */
export const MAX_HEAD = 65_536

const END = '\r\n\r\n'

/** The head at the beginning of `bytes`, and where it ends; undefined while it is not whole. Throws a RangeError for one too long. */
export function readHttp1Head(bytes: Buffer): { readonly head: Http1Head; readonly size: number } | undefined {
  const end = bytes.indexOf(END)
  if (end === -1) {
    if (bytes.length > MAX_HEAD) throw new RangeError('a head of more than 64 KiB')
    return undefined
  }
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const fields = lines.map((line): Field => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return { head: { start, fields }, size: end + END.length }
}

export function writeHttp1Head({ start, fields }: Http1Head): Buffer {
  return Buffer.from([start, ...fields.map(([name, value]) => `${name}: ${value}`)].join('\r\n') + END, 'latin1')
}

/** What speaks of the one connection of HTTP/1.1, or proves that it is one. */
const ofHttp1: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'sec-websocket-accept',
  'sec-websocket-key',
  'transfer-encoding',
  'upgrade',
])

export function withoutHttp1(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !ofHttp1.has(name))
}
