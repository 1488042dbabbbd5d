// The peer's control stream (RFC 9114 §6.2.1): SETTINGS first, then what concerns the connection as a whole.

import { Reader } from '../bytes/reader.ts'
import { Http3Error, Http3ErrorCode } from './error-codes.ts'
import { FrameReader, FrameType, frameError, isForbiddenFrameType, readOnlyId } from './frames.ts'
import { MAX_PRIORITY_UPDATE_LENGTH, type PriorityUpdate, readPriorityUpdate } from './priority.ts'
import { unexpectedFrame } from './request-state.ts'
import { MAX_SETTINGS_LENGTH, readSettings, type Settings } from './settings.ts'

export type ControlFrame =
  | { readonly type: typeof FrameType.Settings; readonly settings: Settings; readonly bytes: Uint8Array }
  | { readonly type: typeof FrameType.Goaway; readonly id: number }
  | { readonly type: typeof FrameType.PriorityUpdateRequest; readonly update: PriorityUpdate }

export class ControlStream {
  readonly #isServer: boolean
  /** Counts frames that mean nothing. */
  readonly #onGlitch: () => void
  readonly #frames = new FrameReader()
  #hasSettings = false
  #maxPushId = -1

  /** `isServer`: we are the server, so the client speaks here. */
  constructor(isServer: boolean, onGlitch: () => void) {
    this.#isServer = isServer
    this.#onGlitch = onGlitch
  }

  /** Then call `next` until it is undefined. */
  receive(bytes: Uint8Array): void {
    this.#frames.push(bytes)
  }

  /** The next frame that matters. Throws Http3Error. */
  next(): ControlFrame | undefined {
    const frames = this.#frames
    for (;;) {
      if (!frames.isInFrame) {
        if (!frames.readHeader()) return undefined
        this.#admit(frames.type, frames.length)
      }
      if (isSkipped(frames.type)) {
        if (!frames.skip()) return undefined
        continue
      }
      const payload = frames.collect()
      if (payload === undefined) return undefined
      const frame = this.#read(frames.type, payload)
      if (frame !== undefined) return frame
    }
  }

  #admit(type: number, length: number): void {
    if (type === FrameType.Settings) {
      if (this.#hasSettings) throw unexpectedFrame('SETTINGS')
      if (length > MAX_SETTINGS_LENGTH) throw excessive('SETTINGS too long')
      return
    }
    if (!this.#hasSettings) throw new Http3Error(Http3ErrorCode.MissingSettings, 'control stream without SETTINGS')
    if (requestOnly.has(type) || isForbiddenFrameType(type)) throw unexpectedFrame(`frame 0x${type.toString(16)}`)
    if (type === FrameType.MaxPushId && !this.#isServer) throw unexpectedFrame('MAX_PUSH_ID')
    if (isPriorityUpdate(type)) {
      if (!this.#isServer) throw unexpectedFrame('PRIORITY_UPDATE')
      if (length > MAX_PRIORITY_UPDATE_LENGTH) throw excessive('PRIORITY_UPDATE too long')
    } else if (!isSkipped(type) && length > 8) throw frameError('frame too long')
    this.#onGlitch()
  }

  #read(type: number, payload: Uint8Array): ControlFrame | undefined {
    switch (type) {
      case FrameType.Settings:
        this.#hasSettings = true
        return { type, settings: readSettings(payload), bytes: payload.slice() }
      case FrameType.Goaway:
        return { type, id: readOnlyId(new Reader(payload)) }
      case FrameType.PriorityUpdateRequest:
        return { type, update: readPriorityUpdate(payload) }
      case FrameType.MaxPushId:
        this.#onMaxPushId(readOnlyId(new Reader(payload)))
        return undefined
      case FrameType.CancelPush:
        readOnlyId(new Reader(payload))
        break
    }
    // RFC 9114 §7.2.3, RFC 9218 §7.2: nothing was pushed or promised, so no push can be cancelled or put in order.
    throw new Http3Error(Http3ErrorCode.IdError, 'a push that was never promised')
  }

  /** RFC 9114 §7.2.7. */
  #onMaxPushId(id: number): void {
    if (id < this.#maxPushId) throw new Http3Error(Http3ErrorCode.IdError, 'MAX_PUSH_ID went down')
    this.#maxPushId = id
  }
}

function isPriorityUpdate(type: number): boolean {
  return type === FrameType.PriorityUpdateRequest || type === FrameType.PriorityUpdatePush
}

/** RFC 9114 §9: frames of unknown type are passed over, never held. */
function isSkipped(type: number): boolean {
  return !isPriorityUpdate(type) && !understood.has(type)
}

function excessive(reason: string): Http3Error {
  return new Http3Error(Http3ErrorCode.ExcessiveLoad, reason)
}

const understood: ReadonlySet<number> = new Set([
  FrameType.Settings,
  FrameType.Goaway,
  FrameType.CancelPush,
  FrameType.MaxPushId,
])
const requestOnly: ReadonlySet<number> = new Set([FrameType.Data, FrameType.Headers, FrameType.PushPromise])
