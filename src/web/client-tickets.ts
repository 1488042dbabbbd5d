// What a client may resume with: a provisioned bundle first, then the tickets of earlier connections.

import type { CryptoBackend } from '../crypto/backend.ts'
import { unixTime } from '../endpoint/clock.ts'
import type { ClientBundle } from '../zero-rtt/bundle.ts'
import { ProvisionedClient } from '../zero-rtt/provisioned-client.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import { NoTickets, originOf, type TicketStore } from '../zero-rtt/ticket-store.ts'

export class ClientTickets implements TicketStore {
  readonly #tickets: TicketStore
  readonly #provisioned: ProvisionedClient | undefined
  /** A bundle is for an address, whatever name the connection goes by. */
  readonly #address: string
  #taken: Resumption | undefined

  constructor(
    backend: CryptoBackend,
    to: { readonly host: string; readonly port: number },
    { tickets = NoTickets, bundle }: { readonly tickets?: TicketStore; readonly bundle?: ClientBundle },
  ) {
    this.#tickets = tickets
    this.#provisioned = bundle && provisionedBy(backend, bundle)
    this.#address = originOf(to.host, to.port)
  }

  take(origin: string): Resumption | undefined {
    this.#taken = this.#provisioned?.take(this.#address) ?? this.#tickets.take(origin)
    return this.#taken
  }

  put(origin: string, resumption: Resumption): void {
    this.#tickets.put(origin, resumption)
  }

  /** The SETTINGS that early data under what was taken relies on; undefined when there can be none. */
  rememberedSettings(alpn: string): Uint8Array | undefined {
    const taken = this.#taken
    return taken?.allowsEarlyData && taken.alpn === alpn ? taken.appState : undefined
  }
}

/** One counter for each bundle: a PSK used twice is refused, or worse, is linked. */
const provisioned = new WeakMap<ClientBundle, ProvisionedClient>()

function provisionedBy(backend: CryptoBackend, bundle: ClientBundle): ProvisionedClient {
  const known = provisioned.get(bundle)
  if (known !== undefined) return known
  const client = new ProvisionedClient(backend, bundle, unixTime)
  provisioned.set(bundle, client)
  return client
}
