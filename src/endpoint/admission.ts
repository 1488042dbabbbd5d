// Ready-made answers to "who is let in": addresses proven under load, and rates for each host (RFC 9000 §8.1).

import { limits } from '../limits.ts'
import { now } from './clock.ts'
import { type Admission, type Admit, type Incoming, RETRY_ABOVE_HANDSHAKES } from './incoming.ts'

/**
 * Lets everybody in, but asks for a proof of the address (Retry, one round trip more) while `handshakes` or more are
 * under way, default 256; 0: always. It is what `admit` does by default.
 */
export function retryUnderLoad({
  handshakes = RETRY_ABOVE_HANDSHAKES,
}: {
  handshakes?: number
} = {}): (incoming: Incoming) => Admission {
  if (!(handshakes >= 0)) throw new RangeError(`handshakes must be a number from 0, not ${handshakes}`)
  return incoming => (incoming.handshakes >= handshakes && !incoming.isAddressValidated ? 'retry' : 'accept')
}

/** Proves every address that is not known yet. */
export const retryAlways: (incoming: Incoming) => Admission = retryUnderLoad({ handshakes: 0 })

/** Never asks: where nobody can make addresses up, such as behind a gateway. */
export function retryNever(_incoming: Incoming): Admission {
  return 'accept'
}

export interface HostRateOptions {
  /** Clients of one host in a second, in the long run. Default 50. */
  readonly perSecond?: number
  /** Clients of one host at once. Default 100. */
  readonly burst?: number
  /** Decides on those within the rate. Default: Retry under load. */
  readonly admit?: Admit
  /** Monotonic ms. Default: the clock of the process. */
  readonly clock?: () => number
}

/** Hosts whose rate is remembered: those with a proven address, and as many without. */
export const MAX_HOSTS: number = limits.ratedHosts

/**
 * Bounds the clients of each host, an IPv4 address or an IPv6 network of 64 bits: above the rate an address is to be
 * proven first, and proven ones are refused. The two are counted apart, so that nobody uses up another's rate by making
 * its address up. Not the default: behind a gateway or a carrier's NAT one host is everybody. Throws a RangeError.
 */
export function limitPerHost(options: HostRateOptions = {}): Admit {
  const { perSecond = 50, burst = 100, admit = retryUnderLoad(), clock = now } = options
  if (!(perSecond > 0 && burst >= 1)) throw new RangeError('perSecond must be above 0, and burst 1 or more')
  const proven = new HostRates(perSecond, burst)
  const claimed = new HostRates(perSecond, burst)
  return incoming => {
    const rates = incoming.isAddressValidated ? proven : claimed
    if (rates.take(networkOf(incoming.remoteAddress.host), clock())) return admit(incoming)
    return incoming.isAddressValidated ? 'refuse' : 'retry'
  }
}

interface Bucket {
  tokens: number
  at: number
}

/** A token bucket for each host. */
class HostRates {
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** False: this host has had its share. */
  take(host: string, time: number): boolean {
    const bucket = this.#buckets.get(host) ?? this.#add(host, time)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + ((time - bucket.at) / 1000) * this.#perSecond)
    bucket.at = time
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  /** The one known longest is forgotten, and begins anew. */
  #add(host: string, time: number): Bucket {
    if (this.#buckets.size >= MAX_HOSTS) this.#buckets.delete(this.#buckets.keys().next().value as string)
    const bucket = { tokens: this.#burst, at: time }
    this.#buckets.set(host, bucket)
    return bucket
  }
}

/** Who has one IPv6 address has 2^64 of them. */
export function networkOf(host: string): string {
  if (!host.includes(':')) return host
  const [head = '', tail] = host.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}
