// SETTINGS (RFC 9114 §7.2.4).

import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import type { Field } from './field.ts'
import { frameError, varintLength } from './frames.ts'

/** What a peer said of itself; a setting it left out has its default. */
export interface Settings {
  /** Infinity: not limited. */
  readonly maxFieldSectionSize: number
  readonly qpackMaxTableCapacity: number
  readonly qpackBlockedStreams: number
  /** RFC 9220 §3. */
  readonly enableConnectProtocol: boolean
  /** RFC 9297 §2.1.1. */
  readonly h3Datagram: boolean
  /** Sessions of WebTransport are taken, as draft-02 has it. */
  readonly webTransportDraft02: boolean
  /** The same, as the current draft has it. */
  readonly webTransport: boolean
  /** What a session of the current draft may do before it is told more. */
  readonly webTransportLimits: WebTransportLimits
}

/** Flow control of one session (WebTransport over HTTP/3, section 5): all 0 means none. */
export interface WebTransportLimits {
  /** Bytes on all its streams, beyond what was read. */
  readonly data: number
  /** Streams of the peer, beyond those that were closed. */
  readonly bidirectionalStreams: number
  readonly unidirectionalStreams: number
}

const noWebTransportLimits: WebTransportLimits = { data: 0, bidirectionalStreams: 0, unidirectionalStreams: 0 }

export const defaultSettings: Settings = {
  maxFieldSectionSize: Number.POSITIVE_INFINITY,
  qpackMaxTableCapacity: 0,
  qpackBlockedStreams: 0,
  enableConnectProtocol: false,
  h3Datagram: false,
  webTransportDraft02: false,
  webTransport: false,
  webTransportLimits: noWebTransportLimits,
}

/** Bytes of a field section we take unless told otherwise, 32 per field included. */
export const DEFAULT_MAX_FIELD_SECTION_SIZE: number = limits.fieldSectionSize

/** A SETTINGS payload above this is not read: H3_EXCESSIVE_LOAD. */
export const MAX_SETTINGS_LENGTH: number = limits.settingsLength

/** What we say of ourselves. */
export interface OwnSettings {
  /** SETTINGS_MAX_FIELD_SECTION_SIZE: bytes of a field section, 32 per field included. Default 65536. */
  readonly maxFieldSectionSize?: number | undefined
  /**
   * SETTINGS_QPACK_MAX_TABLE_CAPACITY: bytes of the dynamic table the peer may fill, 0 to 65536 (RFC 9204 §3.2.3).
   * Default 4096.
   */
  readonly qpackTableCapacity?: number | undefined
  /**
   * SETTINGS_QPACK_BLOCKED_STREAMS: how many header sections may wait for the table at once, 0 to 1000 (RFC 9204
   * §2.1.2). Default 64.
   */
  readonly qpackBlockedStreams?: number | undefined
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL, of a server: CONNECT may have a `:protocol` (RFC 9220 §3). Default false. */
  readonly enableConnectProtocol?: boolean | undefined
  /** SETTINGS_H3_DATAGRAM: datagrams of requests are taken (RFC 9297 §2.1.1). Default false. */
  readonly h3Datagram?: boolean | undefined
  /** SETTINGS_WT_ENABLED, of the current draft and of draft-02, which is what browsers speak. Default false. */
  readonly webTransport?: boolean | undefined
  /** SETTINGS_WT_INITIAL_MAX_*, sent along: 0 to 2^53-1 bytes, 0 to 2^32 streams. Default 2 MiB and 64 of each kind. */
  readonly webTransportLimits?: Partial<WebTransportLimits> | undefined
  /** Which reserved setting is sent along (RFC 9114 §7.2.4.1), 0 to 1000. Default 0. */
  readonly grease?: number | undefined
}

/** The payload of our SETTINGS frame. Throws a RangeError for numbers out of range. */
export function writeSettings(own: OwnSettings): Uint8Array {
  const writer = Writer.allocate(96)
  const put = (id: number, value: number): void => {
    writer.varint(id)
    writer.varint(value)
  }
  const capacity = within('qpackTableCapacity', own.qpackTableCapacity, limits.qpackTableCapacity, 65_536)
  const blocked = within('qpackBlockedStreams', own.qpackBlockedStreams, limits.qpackBlockedStreams, 1000)
  if (capacity > 0) put(SettingId.QpackMaxTableCapacity, capacity)
  put(SettingId.MaxFieldSectionSize, own.maxFieldSectionSize ?? DEFAULT_MAX_FIELD_SECTION_SIZE)
  if (blocked > 0) put(SettingId.QpackBlockedStreams, blocked)
  if (own.enableConnectProtocol) put(SettingId.EnableConnectProtocol, 1)
  if (own.h3Datagram) put(SettingId.H3Datagram, 1)
  if (own.webTransport) {
    put(SettingId.WebTransportDraft02, 1)
    put(SettingId.WebTransport, 1)
    const { data, bidirectionalStreams, unidirectionalStreams } = ownWebTransportLimits(own)
    if (data > 0) put(SettingId.WebTransportData, data)
    if (bidirectionalStreams > 0) put(SettingId.WebTransportStreamsBidi, bidirectionalStreams)
    if (unidirectionalStreams > 0) put(SettingId.WebTransportStreamsUni, unidirectionalStreams)
  }
  put(reservedId(own.grease), 0)
  return writer.finish().slice()
}

/** Those of our sessions. Throws a RangeError for numbers out of range. */
export function ownWebTransportLimits({ webTransportLimits: own = {} }: OwnSettings): WebTransportLimits {
  const streams = (name: 'bidirectionalStreams' | 'unidirectionalStreams'): number =>
    within(name, own[name], limits.webTransportStreams, 2 ** 32)
  return {
    data: within('data', own.data, limits.webTransportData, Number.MAX_SAFE_INTEGER),
    bidirectionalStreams: streams('bidirectionalStreams'),
    unidirectionalStreams: streams('unidirectionalStreams'),
  }
}

/** RFC 9114 §7.2.4.1, §7.2.8: an identifier of settings and frames that means nothing, and is sent so that peers bear it. */
export function reservedId(grease = 0): number {
  return 0x21 + 0x1f * grease
}

function within(name: string, value: number | undefined, standard: number, most: number): number {
  if (value === undefined) return standard
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new RangeError(`${name} must be an integer from 0 to ${most}, not ${value}`)
}

/** Throws H3_FRAME_ERROR for a payload cut short, H3_SETTINGS_ERROR for settings that must not be. */
export function readSettings(payload: Uint8Array): Settings {
  const values = new Map<number, number>()
  const reader = new Reader(payload)
  while (!reader.isDone) {
    const id = readWhole(reader)
    const value = readWhole(reader)
    if (isForbidden(id)) throw wrong(`setting 0x${id.toString(16)} of HTTP/2`)
    // Unknown ones are ignored, and not looked at for duplicates: two large ones may round to one number.
    if (!known.has(id)) continue
    if (values.has(id)) throw wrong(`setting 0x${id.toString(16)} twice`)
    values.set(id, value)
  }
  return {
    maxFieldSectionSize: values.get(SettingId.MaxFieldSectionSize) ?? defaultSettings.maxFieldSectionSize,
    qpackMaxTableCapacity: values.get(SettingId.QpackMaxTableCapacity) ?? 0,
    qpackBlockedStreams: values.get(SettingId.QpackBlockedStreams) ?? 0,
    enableConnectProtocol: flag(values.get(SettingId.EnableConnectProtocol)),
    h3Datagram: flag(values.get(SettingId.H3Datagram)),
    webTransportDraft02: flag(values.get(SettingId.WebTransportDraft02)),
    webTransport: flag(values.get(SettingId.WebTransport)),
    webTransportLimits: {
      data: values.get(SettingId.WebTransportData) ?? 0,
      bidirectionalStreams: values.get(SettingId.WebTransportStreamsBidi) ?? 0,
      unidirectionalStreams: values.get(SettingId.WebTransportStreamsUni) ?? 0,
    },
  }
}

/**
 * RFC 9114 §7.2.4.2: a server that accepted early data sent under remembered settings may not reduce them, nor leave
 * out one that was not at its default.
 */
export function assertNotReduced(remembered: Settings, actual: Settings): void {
  const isReduced =
    actual.maxFieldSectionSize < remembered.maxFieldSectionSize ||
    (actual.maxFieldSectionSize === Number.POSITIVE_INFINITY &&
      remembered.maxFieldSectionSize !== Number.POSITIVE_INFINITY) ||
    actual.qpackBlockedStreams < remembered.qpackBlockedStreams ||
    (remembered.enableConnectProtocol && !actual.enableConnectProtocol) ||
    (remembered.h3Datagram && !actual.h3Datagram) ||
    (remembered.webTransport && !actual.webTransport)
  if (isReduced) throw wrong('settings reduced although early data was accepted')
  // RFC 9204 §3.2.3: this one may not even be raised, unless it was 0.
  const { qpackMaxTableCapacity } = remembered
  if (qpackMaxTableCapacity !== 0 && actual.qpackMaxTableCapacity !== qpackMaxTableCapacity) {
    throw new Http3Error(Http3ErrorCode.QpackDecoderStreamError, 'another capacity although early data was accepted')
  }
}

/** RFC 9220 §3: `:protocol` goes only to servers that know it. Throws a TypeError. */
export function assertConnectIsTaken(fields: readonly Field[], peer: Settings): void {
  if (peer.enableConnectProtocol || !fields.some(([name]) => name === ':protocol')) return
  throw new TypeError('the server takes no CONNECT with a protocol')
}

/** The SETTINGS of last time; what cannot be read was not remembered. */
export function readRemembered(bytes: Uint8Array | undefined): Settings | undefined {
  if (bytes === undefined) return undefined
  try {
    return readSettings(bytes)
  } catch {
    return undefined
  }
}

function readWhole(reader: Reader): number {
  if (reader.isDone || reader.remaining < varintLength(reader.peek())) throw frameError('SETTINGS cut short')
  return reader.varint()
}

function flag(value: number | undefined): boolean {
  if (value !== undefined && value > 1) throw wrong('a setting that is 0 or 1 is neither')
  return value === 1
}

/** RFC 9114 §11.2.2: 0x00 and 0x02-0x05 are reserved. */
function isForbidden(id: number): boolean {
  return id === 0x00 || (id >= 0x02 && id <= 0x05)
}

function wrong(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.SettingsError, reason)
}

const SettingId = {
  QpackMaxTableCapacity: 0x01,
  MaxFieldSectionSize: 0x06,
  QpackBlockedStreams: 0x07,
  EnableConnectProtocol: 0x08,
  H3Datagram: 0x33,
  WebTransportDraft02: 0x2b603742,
  WebTransport: 0x2c7cf000,
  WebTransportData: 0x2b61,
  WebTransportStreamsUni: 0x2b64,
  WebTransportStreamsBidi: 0x2b65,
} as const

const known: ReadonlySet<number> = new Set(Object.values(SettingId))
