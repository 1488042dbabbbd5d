// SETTINGS (RFC 9114 §7.2.4).

import { Reader } from '../bytes/reader.ts'
import { varintSize } from '../bytes/varint.ts'
import { Writer } from '../bytes/writer.ts'
import { limits } from '../limits.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
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
}

export const defaultSettings: Settings = {
  maxFieldSectionSize: Number.POSITIVE_INFINITY,
  qpackMaxTableCapacity: 0,
  qpackBlockedStreams: 0,
  enableConnectProtocol: false,
  h3Datagram: false,
}

/** Bytes of a field section we take unless told otherwise, 32 per field included. */
export const DEFAULT_MAX_FIELD_SECTION_SIZE: number = limits.fieldSectionSize

/** A SETTINGS payload above this is not read: H3_EXCESSIVE_LOAD. */
export const MAX_SETTINGS_LENGTH: number = limits.settingsLength

/**
 * The payload of our SETTINGS frame. QPACK's settings keep their default, 0. `grease` picks the reserved identifier
 * that is sent along (RFC 9114 §7.2.4.1).
 */
export function writeSettings(maxFieldSectionSize: number, grease: number): Uint8Array {
  const reserved = 0x21 + 0x1f * grease
  const size = 1 + varintSize(maxFieldSectionSize) + varintSize(reserved) + 1
  const writer = Writer.allocate(size)
  writer.varint(SettingId.MaxFieldSectionSize)
  writer.varint(maxFieldSectionSize)
  writer.varint(reserved)
  writer.varint(0)
  return writer.finish()
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
    actual.qpackMaxTableCapacity < remembered.qpackMaxTableCapacity ||
    actual.qpackBlockedStreams < remembered.qpackBlockedStreams ||
    (remembered.enableConnectProtocol && !actual.enableConnectProtocol) ||
    (remembered.h3Datagram && !actual.h3Datagram)
  if (isReduced) throw wrong('settings reduced although early data was accepted')
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
} as const

const known: ReadonlySet<number> = new Set(Object.values(SettingId))
