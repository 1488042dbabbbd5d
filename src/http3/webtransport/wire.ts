// What WebTransport over HTTP/3 puts on the wire: the current draft, and draft-02, which is what browsers speak.

import { Reader } from '../../bytes/reader.ts'
import { varintSize } from '../../bytes/varint.ts'
import { Writer } from '../../bytes/writer.ts'
import { malformedCapsule, writeCapsule } from '../capsules.ts'

/** Values of `:protocol`. */
export const UPGRADE_TOKEN = 'webtransport-h3'
export const UPGRADE_TOKEN_DRAFT_02 = 'webtransport'

/** Codes of the draft, section 9.5. */
export const WebTransportCode = {
  BufferedStreamRejected: 0x3994bd84,
  SessionGone: 0x170d7b68,
  AlpnError: 0x0817b3dd,
  RequirementsNotMet: 0x212c0d48,
  FlowControlError: 0x045d4487,
} as const

export const CapsuleType = {
  Datagram: 0x00,
  CloseSession: 0x2843,
  DrainSession: 0x78ae,
  MaxData: 0x190b4d3d,
  MaxStreamData: 0x190b4d3e,
  MaxStreamsBidi: 0x190b4d3f,
  MaxStreamsUni: 0x190b4d40,
  DataBlocked: 0x190b4d41,
  StreamDataBlocked: 0x190b4d42,
  StreamsBlockedBidi: 0x190b4d43,
  StreamsBlockedUni: 0x190b4d44,
} as const

/** Bytes of the reason in a capsule that closes a session. */
export const MAX_REASON = 1024

/** What is understood, and the most bytes of each. */
export const knownCapsules: ReadonlyMap<number, number> = new Map([
  [CapsuleType.Datagram, 65_535],
  [CapsuleType.CloseSession, 4 + MAX_REASON],
  [CapsuleType.DrainSession, 0],
  [CapsuleType.MaxData, 8],
  [CapsuleType.MaxStreamData, 16],
  [CapsuleType.MaxStreamsBidi, 8],
  [CapsuleType.MaxStreamsUni, 8],
  [CapsuleType.DataBlocked, 8],
  [CapsuleType.StreamDataBlocked, 16],
  [CapsuleType.StreamsBlockedBidi, 8],
  [CapsuleType.StreamsBlockedUni, 8],
])

export const UNI_STREAM_TYPE = 0x54
export const BIDI_SIGNAL = 0x41

/** How a stream of a session begins. */
export function streamHeader(signal: typeof UNI_STREAM_TYPE | typeof BIDI_SIGNAL, sessionId: number): Uint8Array {
  const writer = Writer.allocate(varintSize(signal) + varintSize(sessionId))
  writer.varint(signal)
  writer.varint(sessionId)
  return writer.bytes
}

const FIRST_CODE = 0x52e4a40fa8db
const LAST_CODE = 0x52e5ac983162

/** Codes of applications have a range of their own, with holes where HTTP/3's reserved ones lie (section 4.4). */
export function toHttpCode(code: number): number {
  return FIRST_CODE + code + Math.floor(code / 0x1e)
}

/** Undefined for a code that is none of an application. */
export function fromHttpCode(code: number): number | undefined {
  if (code < FIRST_CODE || code > LAST_CODE || (code - 0x21) % 0x1f === 0) return undefined
  const shifted = code - FIRST_CODE
  return shifted - Math.floor(shifted / 0x1f)
}

export interface CloseInfo {
  readonly closeCode: number
  readonly reason: string
}

/** The value of WT_CLOSE_SESSION; a reason that is too long ends at a character. */
export function writeCloseInfo({ closeCode, reason }: CloseInfo): Uint8Array {
  const value = new Uint8Array(4 + MAX_REASON)
  new DataView(value.buffer).setUint32(0, closeCode)
  const { written } = new TextEncoder().encodeInto(reason, value.subarray(4))
  return value.subarray(0, 4 + written)
}

/** Throws H3_MESSAGE_ERROR. */
export function readCloseInfo(value: Uint8Array): CloseInfo {
  if (value.length < 4) throw malformedCapsule('WT_CLOSE_SESSION cut short')
  const reader = new Reader(value)
  const closeCode = reader.u32()
  try {
    return { closeCode, reason: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.rest()) }
  } catch {
    throw malformedCapsule('WT_CLOSE_SESSION with a reason that is no UTF-8')
  }
}

/** The value of a capsule of flow control: up to 2^62, which a number does not hold. Throws H3_MESSAGE_ERROR. */
export function readMaximum(value: Uint8Array): bigint {
  const [first] = value
  if (first === undefined || value.length !== 1 << (first >> 6)) throw malformedCapsule('a capsule that is no integer')
  let maximum = BigInt(first & 0x3f)
  for (let i = 1; i < value.length; i++) maximum = (maximum << 8n) | BigInt(value[i] as number)
  return maximum
}

/** A capsule of flow control. */
export function writeMaximum(type: number, maximum: number): Uint8Array {
  const writer = Writer.allocate(varintSize(maximum))
  writer.varint(maximum)
  return writeCapsule(type, writer.bytes)
}

/** A list of strings (RFC 9651 §3.1, §3.3.3), as WT-Available-Protocols has it; undefined for anything else. */
export function readStrings(value: string): string[] | undefined {
  const found: string[] = []
  let rest = value.trim()
  while (rest !== '') {
    const match =
      /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"(?:;[^,"]*(?:"(?:[^"\\]|\\.)*"[^,"]*)*)?[ \t]*(,|$)/.exec(rest)
    if (match === null) return undefined
    found.push((match[1] as string).replace(/\\(["\\])/g, '$1'))
    rest = rest.slice(match[0].length).trim()
    if (match[2] === ',' && rest === '') return undefined
  }
  return found
}

export function writeStrings(values: readonly string[]): string {
  return values.map(value => `"${value.replace(/["\\]/g, '\\$&')}"`).join(', ')
}
