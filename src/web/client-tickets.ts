// What a client may resume with: a provisioned bundle first, then the tickets of earlier connections.

import { toHex } from '../bytes/hex.ts'
import type { CryptoBackend } from '../crypto/backend.ts'
import { unixTime } from '../endpoint/clock.ts'
import type { ClientBundle } from '../zero-rtt/bundle.ts'
import { ProvisionedClient } from '../zero-rtt/provisioned-client.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import { isLater, NoTickets, originOf, type TicketStore } from '../zero-rtt/ticket-store.ts'

export class ClientTickets implements TicketStore {
  readonly #tickets: TicketStore
  readonly #bundle: ClientBundle | undefined
  readonly #provisioned: ProvisionedClient | undefined
  /** A bundle is for an address, whatever name the connection goes by. */
  readonly #address: string
  #taken: Resumption | undefined
  /** Told when a store that answers later has. */
  onLate: () => void = () => {}

  constructor(
    backend: CryptoBackend,
    to: { readonly host: string; readonly port: number },
    { tickets = NoTickets, bundle }: { readonly tickets?: TicketStore; readonly bundle?: ClientBundle },
  ) {
    this.#tickets = tickets
    this.#bundle = bundle
    this.#provisioned = bundle && provisionedBy(backend, bundle)
    this.#address = originOf(to.host, to.port)
  }

  take(origin: string): ReturnType<TicketStore['take']> {
    const found = this.#provisioned?.take(this.#address) ?? this.#tickets.take(this.#keyOf(origin))
    if (!isLater(found)) {
      this.#taken = found
      return found
    }
    return found.then(late => {
      this.#taken = late
      this.onLate()
      return late
    })
  }

  /** A ticket is as good as what it comes from: the pins of the bundle hold for it, too. */
  put(origin: string, resumption: Resumption): unknown {
    const pins = this.#bundle?.pins ?? resumption.pins
    return this.#tickets.put(this.#keyOf(origin), { ...resumption, pins })
  }

  /** The SETTINGS that early data under what was taken relies on; undefined when there can be none. */
  rememberedSettings(alpn: string): Uint8Array | undefined {
    const taken = this.#taken
    return taken?.allowsEarlyData && taken.alpn === alpn ? taken.appState : undefined
  }

  /** Addresses are given to others when a worker is gone: its tickets are kept under its own name. */
  #keyOf(origin: string): string {
    return this.#bundle === undefined ? origin : instanceKey(this.#bundle.instanceId)
  }
}

/** Under which tickets of a provisioned instance are kept. */
export function instanceKey(instanceId: Uint8Array): string {
  return `instance ${toHex(instanceId)}`
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
