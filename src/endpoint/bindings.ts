// Where an endpoint is bound: at all of its addresses, or nowhere.

import type { Address } from '../connection/path.ts'
import type { PreferredAddresses } from '../connection/preferred-address.ts'
import type { EndpointOptions } from './endpoint-options.ts'
import type { UdpSocket } from './udp-socket.ts'

export interface Bindings {
  /** One at least, in the order they were asked for. */
  readonly addresses: readonly Address[]
  readonly preferred: PreferredAddresses | undefined
}

/** Rejects with node's error for the first address that cannot be had; no socket is left open then. */
export async function bindAll(socket: UdpSocket, options: EndpointOptions): Promise<Bindings> {
  try {
    const addresses = await all((options.addresses ?? [options]).map(address => bindOne(socket, address, options)))
    return { addresses, preferred: await bindPreferred(socket, addresses, options) }
  } catch (error) {
    await socket.close()
    throw error
  }
}

async function bindOne(
  socket: UdpSocket,
  address: NonNullable<EndpointOptions['addresses']>[number],
  options: EndpointOptions,
): Promise<Address> {
  return 'socket' in address ? socket.adopt(address.socket, options) : socket.bind({ ...options, ...address })
}

/** Those that are being bound still are waited for: they are to be closed as well. */
async function all<T>(under: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(under)
  return Promise.all(under)
}

async function bindPreferred(
  socket: UdpSocket,
  addresses: readonly Address[],
  options: EndpointOptions,
): Promise<PreferredAddresses | undefined> {
  const { ipv4, ipv6 } = options.preferredAddress ?? {}
  if (ipv4 === undefined && ipv6 === undefined) return undefined
  const at = async (wanted: Address): Promise<Address> =>
    addresses.find(({ host, port }) => host === wanted.host && port === wanted.port) ??
    (await socket.bind({ ...options, ...wanted }))
  return { ...(ipv4 && { ipv4: await at(ipv4) }), ...(ipv6 && { ipv6: await at(ipv6) }) }
}
