// What the way to a peer takes, as far as this machine knows: the MTU of the interface in whose subnet it is
// (RFC 9000 §14.3, RFC 8899 §5.1.1: the MTU of the first hop bounds the search). Sockets of Node cannot forbid the system
// to cut datagrams to what the interface takes, and then they would seem to fit: none is larger than that.

import { readFileSync } from 'node:fs'
import { BlockList, isIPv6 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** IP without options, and UDP. */
const OVERHEAD_IPV4 = 20 + 8
const OVERHEAD_IPV6 = 40 + 8
/**
 * Loopback takes 65,507 bytes, but larger datagrams than these gain next to nothing, and lose where receive buffers are
 * as small as most systems have them: `npm run bench -- datagram-size`, ARCHITECTURE.md.
 */
const LARGEST = 16_000
/** Fits Ethernet under IPv6, which most paths are at least. */
const USUAL = 1452

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

/**
 * The largest UDP payload worth trying towards `host`. On this machine and in the subnets it is in, that is what the
 * interface takes; elsewhere what most paths take, if our own interfaces do. Undefined where the system does not tell.
 */
export function interfacePayload(
  host: string,
  interfaces: Interfaces = networkInterfaces(),
  mtuOf: (name: string) => number | undefined = systemMtu,
): number | undefined {
  const isV6 = isIPv6(host)
  const family = isV6 ? 'IPv6' : 'IPv4'
  const all = Object.entries(interfaces).flatMap(([name, list = []]) =>
    list.filter(info => info.family === family).map(info => ({ name, info })),
  )
  // What goes to an address of our own does not leave the machine.
  const isOwn = all.some(({ info }) => info.address === host)
  const near = isOwn ? all.filter(({ info }) => info.internal) : all.filter(({ info }) => isIn(host, info))
  const [first] = near
  if (first !== undefined) return payload(mtuOf(first.name), isV6)
  const ways = all.filter(({ info }) => !info.internal).map(({ name }) => payload(mtuOf(name), isV6) ?? USUAL)
  return Math.min(USUAL, ...ways)
}

function payload(mtu: number | undefined, isV6: boolean): number | undefined {
  if (mtu === undefined) return undefined
  return Math.min(LARGEST, mtu - (isV6 ? OVERHEAD_IPV6 : OVERHEAD_IPV4))
}

function isIn(host: string, { family, address, cidr }: NetworkInterfaceInfo): boolean {
  const prefix = Number(cidr?.split('/')[1] ?? Number.NaN)
  if (!(prefix > 0)) return false
  const subnet = new BlockList()
  const type = family === 'IPv6' ? 'ipv6' : 'ipv4'
  subnet.addSubnet(address, prefix, type)
  return subnet.check(host, type)
}

/** Linux shows it; undefined elsewhere. */
function systemMtu(name: string): number | undefined {
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'latin1'))
    return mtu > 0 ? mtu : undefined
  } catch {
    return undefined
  }
}
