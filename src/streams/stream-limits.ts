// Who may open what (RFC 9000 §4.6), and the limits both sides announce in transport parameters (§18.2).

import type { StreamDirection } from '../packet/frames/frame.ts'
import { ReceiveWindow, SendCredit } from './flow-control.ts'
import { type StreamKind, streamId } from './stream-id.ts'

/** As in transport parameters: "local" streams are those opened by the one who announces the limits. */
export interface StreamLimits {
  readonly maxData: number
  readonly maxStreamDataBidiLocal: number
  readonly maxStreamDataBidiRemote: number
  readonly maxStreamDataUni: number
  readonly maxStreamsBidi: number
  readonly maxStreamsUni: number
}

/** RFC 9000 §7.4.1: what may be assumed of a peer of whom nothing is known. */
export const noLimits: StreamLimits = {
  maxData: 0,
  maxStreamDataBidiLocal: 0,
  maxStreamDataBidiRemote: 0,
  maxStreamDataUni: 0,
  maxStreamsBidi: 0,
  maxStreamsUni: 0,
}

/** How many bytes may be sent to the one who announced `limits` on a stream it has opened, or not. */
export function streamDataLimit(limits: StreamLimits, isItsOwn: boolean, direction: StreamDirection): number {
  if (direction === 'uni') return limits.maxStreamDataUni
  return isItsOwn ? limits.maxStreamDataBidiLocal : limits.maxStreamDataBidiRemote
}

export function streamCountLimit(limits: StreamLimits, direction: StreamDirection): number {
  return direction === 'uni' ? limits.maxStreamsUni : limits.maxStreamsBidi
}

/** The streams of one direction that we open. */
export class LocalStreams {
  readonly direction: StreamDirection
  readonly kind: StreamKind
  /** `used` is the number opened so far, which is the index of the next. */
  readonly credit: SendCredit = new SendCredit()
  /** The application wanted one more than allowed. */
  isWanted = false

  constructor(direction: StreamDirection, kind: StreamKind) {
    this.direction = direction
    this.kind = kind
  }

  get opened(): number {
    return this.credit.used
  }

  open(): number | undefined {
    if (this.credit.available <= 0) {
      this.isWanted = true
      return undefined
    }
    const id = streamId(this.kind, this.opened)
    this.credit.use(1)
    return id
  }

  /** RFC 9000 §19.14. */
  get isBlockedDue(): boolean {
    return this.isWanted && this.credit.isBlockedDue
  }

  /** Streams opened for early data that was rejected keep their ids, and wait until the new limit covers them. */
  restart(): void {
    this.credit.restart(this.opened)
  }
}

/** The streams of one direction that the peer opens. */
export class RemoteStreams {
  readonly direction: StreamDirection
  readonly kind: StreamKind
  /**
   * Counts streams: `received` were opened, `consumed` closed on both sides. More are granted for closed ones only,
   * an eighth of the limit at a time, so that as many can be open at once as in the beginning.
   */
  readonly window: ReceiveWindow

  constructor(direction: StreamDirection, kind: StreamKind, limit: number) {
    this.direction = direction
    this.kind = kind
    this.window = new ReceiveWindow(limit, limit, 1 / 8)
  }

  get opened(): number {
    return this.window.received
  }
}
