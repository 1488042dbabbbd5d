// What an endpoint has to tell of itself: counted always, said aloud when somebody has subscribed.

import type { Address } from '../connection/path.ts'
import {
  endpointBind,
  endpointClose,
  endpointRefuse,
  endpointReset,
  endpointRetry,
  endpointVersion,
  type ObservedEndpoint,
} from './channels.ts'
import { EndpointCounters } from './endpoint-statistics.ts'

export class EndpointNews {
  readonly counters: EndpointCounters = new EndpointCounters()
  readonly #endpoint: ObservedEndpoint

  constructor(endpoint: ObservedEndpoint) {
    this.#endpoint = endpoint
  }

  bound(): void {
    if (!endpointBind.hasSubscribers) return
    endpointBind.publish({ endpoint: this.#endpoint, addresses: this.#endpoint.addresses })
  }

  refused(remoteAddress: Address, reason: 'refused' | 'invalid token' | 'ignored'): void {
    this.counters[reason === 'invalid token' ? 'invalidTokens' : reason]++
    if (endpointRefuse.hasSubscribers) endpointRefuse.publish({ endpoint: this.#endpoint, remoteAddress, reason })
  }

  retrySent(remoteAddress: Address): void {
    this.counters.retriesSent++
    if (endpointRetry.hasSubscribers) endpointRetry.publish({ endpoint: this.#endpoint, remoteAddress })
  }

  versionsSent(remoteAddress: Address, version: number): void {
    this.counters.versionNegotiationsSent++
    if (endpointVersion.hasSubscribers) endpointVersion.publish({ endpoint: this.#endpoint, remoteAddress, version })
  }

  resetSent(remoteAddress: Address): void {
    this.counters.resetsSent++
    if (endpointReset.hasSubscribers) endpointReset.publish({ endpoint: this.#endpoint, remoteAddress })
  }

  closed(): void {
    if (!endpointClose.hasSubscribers) return
    endpointClose.publish({ endpoint: this.#endpoint, statistics: this.#endpoint.statistics() })
  }
}
