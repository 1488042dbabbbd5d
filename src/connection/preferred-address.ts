// The preferred_address of a server: where its clients are to go (RFC 9000 §9.6, §18.2).

import type { PreferredAddress } from '../packet/transport-parameters.ts'
import type { Address } from './path.ts'

/** One of each family at most. */
export interface PreferredAddresses {
  readonly ipv4?: Address
  readonly ipv6?: Address
}

/** As a transport parameter. Throws a RangeError for what is no address. */
export function preferredAddress(
  { ipv4, ipv6 }: PreferredAddresses,
  connectionId: Uint8Array,
  statelessResetToken: Uint8Array,
): PreferredAddress {
  return {
    ipv4: ipv4 === undefined ? new Uint8Array(4) : parseIPv4(ipv4.host),
    ipv4Port: ipv4?.port ?? 0,
    ipv6: ipv6 === undefined ? new Uint8Array(16) : parseIPv6(ipv6.host),
    ipv6Port: ipv6?.port ?? 0,
    connectionId,
    statelessResetToken,
  }
}

/**
 * The one of the family that is in use: the other may not be reachable at all. Undefined: there is none, or it would be
 * ourselves whom a server elsewhere makes us talk to (RFC 9000 §21.5.6).
 */
export function preferredFor(current: Address, preferred: PreferredAddress): Address | undefined {
  const isV6 = current.host.includes(':')
  const port = isV6 ? preferred.ipv6Port : preferred.ipv4Port
  const bytes = isV6 ? preferred.ipv6 : preferred.ipv4
  if (port === 0 || bytes.every(byte => byte === 0)) return undefined
  const host = isV6 ? formatIPv6(bytes) : bytes.join('.')
  return isLoopback(host) && !isLoopback(current.host) ? undefined : { ...current, host, port }
}

function isLoopback(host: string): boolean {
  return host === '::1' || /^(?:::ffff:)?127\.|^::ffff:7f[\da-f]{2}:/.test(host)
}

function parseIPv4(host: string): Uint8Array {
  const parts = host.split('.').map(Number)
  if (parts.length === 4 && parts.every(part => part >= 0 && part <= 255)) return Uint8Array.from(parts)
  throw new RangeError(`'${host}' is no IPv4 address`)
}

function parseIPv6(host: string): Uint8Array {
  const [head = '', tail, extra] = host.split('::')
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const missing = 8 - before.length - after.length
  const all = [...before, ...new Array<number>(Math.max(0, missing)).fill(0), ...after]
  const isWhole = tail === undefined ? missing === 0 : missing > 0
  if (extra !== undefined || !isWhole || !all.every(group => group >= 0 && group <= 0xffff))
    throw new RangeError(`'${host}' is no IPv6 address`)
  return Uint8Array.from(all.flatMap(group => [group >> 8, group & 0xff]))
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
}

/** RFC 5952 §4: as the system writes it, so that it can be compared. */
function formatIPv6(bytes: Uint8Array): string {
  const all: number[] = []
  for (let i = 0; i < 16; i += 2) all.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  const text = all.map(group => group.toString(16)).join(':')
  const zeros = text.match(/\b0(:0)+\b/g) ?? []
  const longest = zeros.reduce((best, run) => (run.length > best.length ? run : best), '')
  if (longest === '') return text
  const at = text.search(new RegExp(`(^|:)${longest}(:|$)`))
  const start = text[at] === ':' ? at + 1 : at
  return `${text.slice(0, Math.max(0, start - 1))}::${text.slice(start + longest.length + 1)}`
}
