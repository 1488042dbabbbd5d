// Calls of other functions, through the gateway: one client for a process, whose sessions begin with its keys or a ticket
// of the one before, and a request in the first packet.

import { defaultBackend, QuicEndpoint, withKeySharesAhead } from 'zerotrip'
import { type EarlyRequests, MemoryTickets } from 'zerotrip/zero-rtt'
import type { Call } from '../http/call.ts'
import { EARLY_DATA_HEADER } from '../http/early-data.ts'
import { isSafe, NextHop } from '../http/next-hop.ts'
import type { PassedResponse } from '../http/passed.ts'
import type { GatewayAddress } from './gateway-address.ts'

/** For the next session, and one that takes its place. */
const KEY_SHARES_AHEAD = 2

/** Functions whose policy is remembered: about as many as one calls. */
const MAX_POLICIES = 1000

const FUNCTION = /^\/(?:async-)?function\/([^/?]+)/

export class GatewayClient {
  readonly url: URL
  readonly #endpoint = new QuicEndpoint({ backend: withKeySharesAhead(defaultBackend, KEY_SHARES_AHEAD) })
  readonly #hop: NextHop
  /** What the gateway said of functions that have another policy than `safe`. */
  readonly #policies = new Map<string, EarlyRequests>()
  #inFlight = 0

  constructor({ url, certificate, bundle, idle }: GatewayAddress) {
    this.url = new URL(url)
    const origin = `${this.url.hostname}:${this.url.port || 443}`
    this.#hop = new NextHop(
      { origin, tlsOrigin: origin, certificate, bundle },
      { endpoint: this.#endpoint, tickets: new MemoryTickets(Date.now), idle, ahead: true },
    )
    this.#endpoint.unref()
  }

  /** Is it the path of a function: there is nothing else here for functions. */
  static isFunction(target: string): boolean {
    return FUNCTION.test(target)
  }

  /** Rejects with a CallFailed when there is no answer. A process is kept alive by calls under way, not by the rest. */
  async send(call: Call, signal: AbortSignal, early?: boolean): Promise<PassedResponse> {
    const name = FUNCTION.exec(call.target)?.[1] as string
    if (this.#inFlight++ === 0) this.#endpoint.ref()
    try {
      const response = await this.#hop.send(call, signal, { early: early ?? this.#mayBeEarly(name, call.method) })
      return this.#learn(name, response)
    } finally {
      if (--this.#inFlight === 0) this.#endpoint.unref()
    }
  }

  /** Ends the session; the next call begins another. */
  disconnect(): void {
    this.#hop.disconnect()
  }

  async close(): Promise<void> {
    this.#hop.retire(false)
    await this.#endpoint.close()
  }

  #mayBeEarly(name: string, method: string): boolean {
    const policy = this.#policies.get(name) ?? 'safe'
    return policy === 'all' || (policy === 'safe' && isSafe(method))
  }

  /** What it said is between the two of us. */
  #learn(name: string, { status, headers, body }: PassedResponse): PassedResponse {
    const rest: [string, string][] = []
    let policy: string | undefined
    for (const [header, value] of headers) {
      if (header === EARLY_DATA_HEADER) policy = value
      else rest.push([header, value])
    }
    if (policy !== 'all' && policy !== 'never') this.#policies.delete(name)
    else if (this.#policies.has(name) || this.#policies.size < MAX_POLICIES) this.#policies.set(name, policy)
    return { status, headers: rest, body }
  }
}
