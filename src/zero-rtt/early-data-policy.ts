// Whether early data is wanted at all, apart from whether it is fresh: for which applications, of which age, under
// which limits, and which requests may run in it (RFC 8446 §8, RFC 8470).

import type { TransportParameters } from '../packet/transport-parameters.ts'
import type { EarlyDataAttempt, EarlyDataGate, EarlyDataRefusal } from '../tls13/ports.ts'
import { canHonour } from './remembered-parameters.ts'
import { TicketPsk } from './ticket-sealer.ts'

/** Which requests may run before the handshake is complete. `safe`: those whose method is (RFC 9110 §9.2.1). */
export type EarlyRequests = 'never' | 'safe' | 'all'

export function isEarlyRequestAllowed(policy: EarlyRequests, method: string): boolean {
  return policy === 'all' || (policy === 'safe' && safeMethods.has(method))
}

export interface EarlyDataPolicyOptions {
  /** Asked last, only for what the policy wants, so that nothing is recorded in vain. */
  readonly gate: EarlyDataGate
  /** What this server offers now: early data under higher limits is refused (RFC 9000 §7.4.1). */
  readonly transportParameters: TransportParameters
  /** Protocols whose early data is wanted. Default: all that are offered. */
  readonly alpn?: readonly string[]
  /** ms; tickets that claim to be older get no early data. Default: as long as the ticket lives. */
  readonly maxTicketAge?: number
  /** The application's own word on its state in the ticket: has it changed meanwhile? Default: yes to any. */
  readonly acceptsAppState?: (appState: Uint8Array) => boolean
}

export class EarlyDataPolicy implements EarlyDataGate {
  readonly #options: EarlyDataPolicyOptions

  constructor(options: EarlyDataPolicyOptions) {
    this.#options = options
  }

  later(attempt: EarlyDataAttempt): unknown {
    return this.#refusalOf(attempt) === undefined ? this.#options.gate.later?.(attempt) : undefined
  }

  admit(attempt: EarlyDataAttempt): boolean {
    const refusal = this.#refusalOf(attempt)
    if (refusal === undefined) return this.#options.gate.admit(attempt)
    attempt.refusal = refusal
    return false
  }

  #refusalOf({ psk, unixTime }: EarlyDataAttempt): EarlyDataRefusal | undefined {
    const { alpn, maxTicketAge, transportParameters, acceptsAppState } = this.#options
    const terms = psk.earlyData
    if (terms === undefined) return 'unwanted'
    if (unixTime >= psk.expires) return 'expired'
    if (alpn !== undefined && !alpn.includes(terms.alpn)) return 'unwanted'
    if (maxTicketAge !== undefined && psk instanceof TicketPsk && psk.claimedAge > maxTicketAge) return 'expired'
    if (!canHonour(terms.transportParameters, transportParameters)) return 'terms'
    return acceptsAppState === undefined || acceptsAppState(psk.appState) ? undefined : 'terms'
  }
}

/** RFC 9110 §9.2.1. Methods are case-sensitive. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
