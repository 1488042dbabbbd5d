// Both ends of a QUIC connection, as `req.socket` shows them.

import type { AddressInfo } from 'node:net'
import type { QuicSession } from '../../endpoint/quic-session.ts'
import type { ChannelPeer } from '../compat/channel.ts'

export class QuicPeer implements ChannelPeer {
  readonly alpnProtocol = 'h3'
  readonly #session: QuicSession
  readonly #server: { address(): AddressInfo | null }

  constructor(session: QuicSession, server: { address(): AddressInfo | null }) {
    this.#session = session
    this.#server = server
  }

  /** It changes when the client goes on from another address. */
  get remoteAddress(): string {
    return this.#session.remoteAddress.host
  }

  get remotePort(): number {
    return this.#session.remoteAddress.port
  }

  get localAddress(): string | undefined {
    return this.#server.address()?.address
  }

  get localPort(): number | undefined {
    return this.#server.address()?.port
  }

  get servername(): string | undefined {
    return this.#session.peer?.serverName
  }

  get authorized(): boolean {
    return this.certificate !== undefined
  }

  get certificate(): Uint8Array | undefined {
    return this.#session.peer?.certificates[0]
  }
}
