// Is this certificate for that host? (RFC 9525 §6). Only subject alternative names count: the common name never did.

import { equal } from '../bytes/equal.ts'

/** What `matchesHost` looks at. */
export interface HostNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly Uint8Array[]
}

/** `host` is a DNS name in ASCII (A-labels, a trailing dot is fine) or an IP address, IPv6 with or without brackets. */
export function matchesHost(names: HostNames, host: string): boolean {
  const address = parseIpAddress(host)
  // RFC 9525 §6.4: an address is never compared with DNS names, nor with anything but all of its bytes.
  if (address !== undefined) return names.ipAddresses.some(candidate => equal(candidate, address))
  const wanted = normalHost(host)
  return wanted !== undefined && names.dnsNames.some(pattern => matchesPattern(pattern.toLowerCase(), wanted))
}

/** The 4 or 16 bytes of an IP literal, undefined for anything else. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  if (text.startsWith('[') && text.endsWith(']')) return parseIpv6(text.slice(1, -1))
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

// RFC 9525 §6.3: `*` is the whole leftmost label and stands for exactly one label. A wildcard right below a top-level
// domain is refused: nobody owns all of it.
function matchesPattern(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host
  const rest = pattern.slice(1)
  if (rest.includes('*') || rest.indexOf('.', 1) < 0 || !isHostName(rest.slice(1))) return false
  const dot = host.indexOf('.')
  return dot > 0 && host.slice(dot) === rest
}

function normalHost(host: string): string | undefined {
  const name = host.endsWith('.') ? host.slice(0, -1) : host
  // What ends in a number is an IPv4 address in some short form to whoever resolves it, so never a DNS name.
  if (/(^|\.)(\d+|0x[0-9a-f]*)$/i.test(name)) return undefined
  // Checked before it is lowered: a Kelvin sign would become a k.
  return isHostName(name) ? name.toLowerCase() : undefined
}

/** Labels of letters, digits, hyphens and, as found in the wild, underscores. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && name.split('.').every(label => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i.test(label))
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  // No leading zeros: some read them as octal.
  if (parts.length !== 4 || !parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined
  }
  return Uint8Array.from(parts, Number)
}

// RFC 4291 §2.2
function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2 || text.length > 45) return undefined
  const head = parseGroups(halves[0] as string, halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] as string, true) : []
  if (head === undefined || tail === undefined) return undefined
  const length = head.length + tail.length
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined
  const address = new Uint8Array(16)
  address.set(head)
  address.set(tail, 16 - tail.length)
  return address
}

function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  const bytes: number[] = []
  if (text === '') return bytes
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const ipv4 = mayEndInIpv4 && index === groups.length - 1 && group.includes('.') ? parseIpv4(group) : undefined
    if (ipv4 !== undefined) {
      bytes.push(...ipv4)
      continue
    }
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined
    const value = Number.parseInt(group, 16)
    bytes.push(value >> 8, value & 0xff)
  }
  return bytes
}
