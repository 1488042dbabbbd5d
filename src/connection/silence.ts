// A client that only receives breaks the silence when stream data it waits for stays away (RFC 9000 §10.1.2). A NAT may
// have given it another address: then the server sends to nobody, and hears from nobody either.

import { SIGNAL_FRAME_SIZE, writePing } from '../packet/frames/signal.ts'
import type { PacketWriter } from '../packet/packet-writer.ts'
import { SentFrame, SentKind } from '../packet/sent-frame.ts'

/** Before it is broken for the first time: so many PTOs, and ms at least. Twice as long before the next time. */
const PTOS = 3
export const FIRST_SILENCE = 1000
/** Then only stream data lets it be broken again: a server that takes its time is left alone. */
export const MAX_PINGS = 3

/** RFC 9000 §8.1: in a full datagram, of which a server that does not know the address may send three times as much. */
export const fullPing: SentFrame = new SentFrame(SentKind.Ping)

export class Silence {
  #isDue = false
  #pings = 0
  /** Bytes of streams that had come by the last one. */
  #received = 0

  get hasDue(): boolean {
    return this.#isDue
  }

  /** `since` when nothing came; `received`: bytes of streams. */
  deadline(since: number, pto: number, received: number): number {
    const pings = received === this.#received ? this.#pings : 0
    if (pings === MAX_PINGS) return Number.POSITIVE_INFINITY
    return since + Math.max(PTOS * pto, FIRST_SILENCE) * 2 ** pings
  }

  break(received: number): void {
    if (received !== this.#received) this.#pings = 0
    this.#received = received
    this.#pings++
    this.#isDue = true
  }

  /** Not repeated: probes take care of it (RFC 9002 §6.2). */
  write(packet: PacketWriter): void {
    if (!this.#isDue || packet.remaining < SIGNAL_FRAME_SIZE) return
    writePing(packet)
    packet.record(fullPing)
    this.#isDue = false
  }
}
