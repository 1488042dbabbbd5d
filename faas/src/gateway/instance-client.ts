// One worker, as its gateway sees it.

import type { Call } from '../http/call.ts'
import { type HopCounts, NextHop, type NextHopOptions } from '../http/next-hop.ts'
import type { PassedResponse } from '../http/passed.ts'
import type { Instance } from './provider.ts'
import { rehearse } from './rehearsal.ts'

export { CallFailed } from '../http/next-hop.ts'

/** Of every watchdog; no function sees it. */
const HEALTH = '/_/health'

export type ClientCounts = HopCounts

/** How one worker is called. */
export interface WorkerClient {
  readonly instance: Instance
  inFlight: number
  /** Rejects with a CallFailed, which says whether the worker may have seen the request. */
  send(call: Call, signal: AbortSignal): Promise<PassedResponse>
  /** No new requests; those in flight go on, unless it `isDead`: then they fail at once. */
  retire(isDead: boolean): void
  /** Before its first request, which is faster then; ends when that comes. */
  rehearse?(): void
  /** It says that it will take nothing more, or says nothing: others are asked first. Default: never. */
  readonly isReluctant?: boolean
}

export class InstanceClient extends NextHop implements WorkerClient {
  readonly instance: Instance
  inFlight = 0

  constructor(instance: Instance, options: NextHopOptions) {
    super(instance, { ...options, ahead: true })
    this.instance = instance
    this.prepare()
  }

  rehearse(): void {
    rehearse({ contact: () => this.contact(HEALTH), isTaken: () => this.isTaken })
  }
}
