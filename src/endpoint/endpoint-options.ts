// What may be said of an endpoint itself, for both of its roles.

import type { Socket } from 'node:dgram'
import { isIP } from 'node:net'
import type { Address } from '../connection/path.ts'
import type { PreferredAddresses } from '../connection/preferred-address.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import type { AddressTokens } from '../zero-rtt/address-token.ts'
import type { ConnectionIdGenerator } from './router.ts'
import type { UdpAddress, UdpOptions } from './udp-socket.ts'

export interface EndpointOptions extends UdpOptions {
  /**
   * Several addresses in place of `host` and `port`: each a socket, all of one endpoint, such as IPv4 beside IPv6 or one
   * more port. Answers leave by the socket that was asked. Also sockets of node:dgram that are bound already; they are
   * closed with the endpoint. Either all can be had or none stays open.
   */
  readonly addresses?: readonly (UdpAddress | { readonly socket: Socket })[]
  /** Default node:crypto. */
  readonly backend?: CryptoBackend
  /** Room for outgoing datagrams, bytes. Default 1,500, or as much as `transport.maxDatagramSize` asks for. */
  readonly datagramBufferSize?: number
  /**
   * Bytes that all connections may hold for their peers: received and not read, promised beyond the initial windows,
   * written and not acknowledged. From half of it on windows shrink, from seven eighths on new clients are refused; beyond
   * it the connection that holds most is closed, with ERR_ZEROTRIP_OUT_OF_MEMORY here and INTERNAL_ERROR there. Written
   * chunks count as if each connection had its own. Default: a quarter of the memory of the machine or container, at least
   * 64 MiB; Infinity: no limit.
   */
  readonly maxMemory?: number
  /** Makes and reads address validation tokens. Default: with keys of its own. */
  readonly addressTokens?: AddressTokens
  /**
   * Where clients of `listen` are asked to go after the handshake, one address of each family (RFC 9000 §9.6): among
   * `addresses`, or further sockets, bound with the first. Default: clients stay where they are.
   */
  readonly preferredAddress?: PreferredAddresses
  /** Makes our connection ids, such as a load balancer can route by. Default: 8 random bytes. */
  readonly connectionIds?: ConnectionIdGenerator
  /**
   * For several processes at one address: hands a datagram on to the one it belongs to. Asked about each that leads to no
   * session here, with the connection id it is for (`WorkerConnectionIds.ownerOf` says whose); false: it is ours. The
   * other one gives it to `endpoint.inject`. Must copy what it keeps.
   */
  readonly forward?: (datagram: Uint8Array, from: Address, id: Uint8Array) => boolean
  /** 32 bytes from which stateless reset tokens are made: give a process that takes over the same. Default random. */
  readonly statelessResetKey?: Uint8Array
}

/** HMAC-SHA-256 keys shorter than its output weaken it. */
export const MIN_RESET_KEY = 32
/** With less no connection could be had. */
const LEAST_MEMORY = 1024 * 1024
/** Sockets of one endpoint, those of sessions that move not counted. */
export const MAX_ADDRESSES = 64

/** Throws a TypeError or RangeError for what does not fit. */
export function assertEndpoint(options: EndpointOptions): void {
  const { statelessResetKey, preferredAddress, addresses, maxMemory } = options
  assertAddress(options)
  if (addresses !== undefined) assertAddresses(addresses, options)
  const { ipv4, ipv6 } = preferredAddress ?? {}
  if ((ipv4 !== undefined && isIP(ipv4.host) !== 4) || (ipv6 !== undefined && isIP(ipv6.host) !== 6)) {
    throw new TypeError('preferredAddress must be { ipv4: { host, port }, ipv6: { host, port } }, or one of the two')
  }
  if (maxMemory !== undefined && !(maxMemory >= LEAST_MEMORY)) {
    throw new RangeError(`maxMemory must be ${LEAST_MEMORY} bytes or more, not ${maxMemory}`)
  }
  if (statelessResetKey !== undefined && statelessResetKey.length < MIN_RESET_KEY) {
    throw new TypeError(`statelessResetKey must have ${MIN_RESET_KEY} bytes or more`)
  }
}

function assertAddresses(addresses: NonNullable<EndpointOptions['addresses']>, { host, port }: UdpOptions): void {
  if (host !== undefined || port !== undefined) {
    throw new TypeError('give `host` and `port` for one address, or `addresses`, not both')
  }
  if (addresses.length < 1 || addresses.length > MAX_ADDRESSES) {
    throw new RangeError(`addresses must hold from 1 to ${MAX_ADDRESSES} of them, not ${addresses.length}`)
  }
  for (const address of addresses) {
    if ('socket' in address) assertBound(address.socket)
    else assertAddress(address)
  }
}

function assertAddress({ host, port }: UdpAddress): void {
  if (host !== undefined && isIP(host) === 0) {
    throw new TypeError(`host must be an IP address to bind to, not '${host}'`)
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`port must be from 0 to 65535, not ${port}`)
  }
}

function assertBound(socket: Socket): void {
  try {
    socket.address()
  } catch (cause) {
    throw new TypeError('a socket in `addresses` must be bound: wait for its `listening` event', { cause })
  }
}
