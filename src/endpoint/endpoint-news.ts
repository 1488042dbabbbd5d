// What an endpoint has to tell of itself: counted always, said aloud when somebody has subscribed.

import type { Address } from '../connection/path.ts'
import { NoRecorder, type Recorder, type UnprotectedType } from '../qlog/recorder.ts'
import {
  endpointBind,
  endpointClose,
  endpointRefuse,
  endpointReset,
  endpointRetry,
  endpointVersion,
  type ObservedEndpoint,
} from './channels.ts'
import { now } from './clock.ts'
import { EndpointCounters } from './endpoint-statistics.ts'
import { QlogFile } from './qlog-file.ts'

const NO_VERSIONS: readonly number[] = []

export class EndpointNews {
  readonly counters: EndpointCounters = new EndpointCounters()
  readonly #endpoint: ObservedEndpoint
  #log: Recorder = NoRecorder
  #file: QlogFile | undefined

  constructor(endpoint: ObservedEndpoint) {
    this.#endpoint = endpoint
  }

  /** The log of what is sent outside of any connection. `id` names it. */
  openLog(directory: string, id: Uint8Array): void {
    this.#file = new QlogFile(directory)
    this.#log = this.#file.openEndpoint(id)
    this.#logAddresses()
  }

  bound(): void {
    this.#logAddresses()
    if (!endpointBind.hasSubscribers) return
    endpointBind.publish({ endpoint: this.#endpoint, addresses: this.#endpoint.addresses })
  }

  refused(remoteAddress: Address, reason: 'refused' | 'invalid token' | 'ignored'): void {
    this.counters[reason === 'invalid token' ? 'invalidTokens' : reason]++
    if (endpointRefuse.hasSubscribers) endpointRefuse.publish({ endpoint: this.#endpoint, remoteAddress, reason })
  }

  /** `size` is that of the datagram. */
  retrySent(remoteAddress: Address, size: number): void {
    this.counters.retriesSent++
    this.#logPacket('retry', size, NO_VERSIONS)
    if (endpointRetry.hasSubscribers) endpointRetry.publish({ endpoint: this.#endpoint, remoteAddress })
  }

  versionsSent(remoteAddress: Address, version: number, size: number, ours: readonly number[]): void {
    this.counters.versionNegotiationsSent++
    if (this.#log.enabled) this.#log.versionInformation({ client: [version], server: ours }, now())
    this.#logPacket('version_negotiation', size, ours)
    if (endpointVersion.hasSubscribers) endpointVersion.publish({ endpoint: this.#endpoint, remoteAddress, version })
  }

  resetSent(remoteAddress: Address, size: number): void {
    this.counters.resetsSent++
    this.#logPacket('stateless_reset', size, NO_VERSIONS)
    if (endpointReset.hasSubscribers) endpointReset.publish({ endpoint: this.#endpoint, remoteAddress })
  }

  /** A packet of no connection that is known, which gets no answer. */
  strayDropped(size: number): void {
    this.counters.dropped.unknown++
    if (this.#log.enabled) this.#log.packetDropped(size, 'connection_unknown', now())
  }

  closed(): void {
    this.#file?.close()
    if (!endpointClose.hasSubscribers) return
    endpointClose.publish({ endpoint: this.#endpoint, statistics: this.#endpoint.statistics() })
  }

  #logAddresses(): void {
    if (!this.#log.enabled) return
    for (const address of this.#endpoint.addresses) this.#log.serverListening(address, now())
  }

  #logPacket(type: UnprotectedType, size: number, versions: readonly number[]): void {
    if (this.#log.enabled) this.#log.unprotectedPacket('local', type, size, versions, now())
  }
}
