// Which requests may come to the gateway as early data (RFC 8470): each function has its own word, the rest has none.

import type { EarlyDecision, EarlyQuestion } from 'zerotrip/http3'
import { type EarlyRequests, isEarlyRequestAllowed } from 'zerotrip/zero-rtt'
import { EARLY_DATA_HEADER } from '../http/early-data.ts'
import { earlyRequestsOf } from './deployment.ts'
import type { FunctionName, Provider } from './provider.ts'
import { routeOf } from './route.ts'

export class EarlyRequestsOf {
  readonly #provider: Provider

  constructor(provider: Provider) {
    this.#provider = provider
  }

  policy(of: FunctionName): EarlyRequests {
    const status = this.#provider.find(of)
    return status === undefined ? 'never' : earlyRequestsOf(status)
  }

  /** `target`: path and query. */
  allows(target: string, method: string): boolean {
    const route = routeOf(target)
    return route !== undefined && isEarlyRequestAllowed(this.policy(route.of), method)
  }

  /** What a caller has to know to be early. */
  header(of: FunctionName): readonly (readonly [string, string])[] {
    const policy = this.policy(of)
    return policy === 'safe' ? [] : [[EARLY_DATA_HEADER, policy]]
  }

  /**
   * What waits here for the handshake costs its client nothing. Waiting does not help one that was early on a hop before:
   * it is run, and answered 425, whatever it came by.
   */
  readonly decide = ({ request, isForwarded }: EarlyQuestion): EarlyDecision =>
    isForwarded || this.allows(request.path, request.method) ? 'run' : 'defer'
}
