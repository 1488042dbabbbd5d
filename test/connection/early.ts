// Clients that may speak first: provisioned, or with a ticket of an earlier connection.

import type { ServerConfig, TransportOptions } from '../../src/connection/config.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import { QUIC_V1 } from '../../src/packet/version.ts'
import { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { StrikeWindow } from '../../src/zero-rtt/anti-replay.ts'
import { provision } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { writeRemembered } from '../../src/zero-rtt/remembered-parameters.ts'
import { type Resumption, resumptionFromTicket } from '../../src/zero-rtt/resumption.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { Pair, type PairOptions } from '../sim/pair.ts'
import { testTime } from '../support/certificates.ts'
import { parametersOf } from './support.ts'

export const ORIGIN = 'worker:443'

export interface Provisioned {
  readonly resumption: Resumption
  readonly server: Partial<ServerConfig>
  /** Opens the address tokens of the bundle. */
  readonly tokens: AddressTokens
  readonly client: ProvisionedClient
}

/** Both halves of a bundle for a worker with these transport options. */
export function provisioned(
  transport: TransportOptions = {},
  appState: Uint8Array = new Uint8Array(0),
  backend: CryptoBackend = nodeBackend,
  version: number = QUIC_V1,
): Provisioned {
  const bundles = provision({
    backend,
    version,
    unixTime: testTime,
    clientId: 'gateway',
    addresses: [ORIGIN],
    alpn: 'test',
    cipherSuite: TLS_AES_128_GCM_SHA256.id,
    transportParameters: writeRemembered(parametersOf(transport)),
    appState,
  })
  const client = new ProvisionedClient(backend, bundles.client, () => testTime)
  const worker = new ProvisionedServer(backend, bundles.worker)
  return {
    resumption: client.take(ORIGIN) as Resumption,
    client,
    server: { psks: worker, earlyData: worker, transport, appState },
    tokens: AddressTokens.ofInstance(backend, bundles.worker),
  }
}

/** A server that issues tickets, and what one of its clients has got. */
export function ticketed(options: PairOptions = {}): {
  server: Partial<ServerConfig>
  resumption: Resumption
  first: Pair
} {
  const sealer = new TicketSealer(nodeBackend)
  const server = { ...options.server, psks: sealer, tickets: sealer, earlyData: new StrikeWindow() }
  const first = new Pair({ ...options, server })
  first.connect()
  first.world.run(() => first.client.has('ticket'), 10_000)
  return { server, resumption: resumptionOf(first, options.server?.appState), first }
}

/** What the client has got to resume with. */
export function resumptionOf(pair: Pair, appState: Uint8Array = new Uint8Array(0)): Resumption {
  const fact = pair.client.find('ticket')
  if (fact === undefined) throw new Error('no ticket')
  const company = {
    version: pair.client.connection.version,
    appState,
    token: new Uint8Array(0),
    pins: [],
    initialRtt: undefined,
  }
  return resumptionFromTicket(fact.ticket, company, testTime)
}
