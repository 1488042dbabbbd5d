// A client and a server joined by two links.

import type { ClientConfig, ServerConfig } from '../../src/connection/config.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionIdSource } from '../../src/connection/local-ids.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { readHeader } from '../../src/packet/header.ts'
import { NoRecorder, type Recorder } from '../../src/qlog/recorder.ts'
import { singleCertificate, verifyChain } from '../../src/tls13/certificate-policy.ts'
import { refuseEarlyData } from '../../src/tls13/ports.ts'
import { NoPsks } from '../../src/zero-rtt/psk-sources.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { Host } from './host.ts'
import { Link, type LinkOptions } from './link.ts'
import { World } from './world.ts'

export const clientAddress = { host: '192.0.2.1', port: 40_000 }
export const serverAddress = { host: '192.0.2.2', port: 443 }
export const ID_LENGTH = 8

export interface PairOptions {
  readonly seed?: number
  /** Both directions. */
  readonly link?: LinkOptions
  readonly toServer?: LinkOptions
  readonly toClient?: LinkOptions
  readonly client?: Partial<ClientConfig>
  readonly server?: Partial<ServerConfig>
  readonly recorder?: (vantagePoint: 'client' | 'server') => Recorder
  /** A world that exists already: for a second connection in it. */
  readonly world?: World
  readonly isAddressValidated?: boolean
  readonly bufferSize?: number
}

export class Pair {
  readonly world: World
  readonly backend: CryptoBackend
  readonly client: Host
  readonly server: Host
  readonly toServer: Link
  readonly toClient: Link
  readonly #options: PairOptions

  constructor(options: PairOptions = {}) {
    this.#options = options
    this.world = options.world ?? new World(options.seed)
    this.backend = this.world.backend()
    this.toServer = new Link(this.world, { ...options.link, ...options.toServer })
    this.toClient = new Link(this.world, { ...options.link, ...options.toClient })
    this.client = new Host(this.world, clientAddress, this.toServer, options.bufferSize)
    this.server = new Host(this.world, serverAddress, this.toClient, options.bufferSize)
    this.client.join(this.server)
    this.server.join(this.client)
    this.server.accept = datagram => this.#accept(datagram)
  }

  /** Sends the ClientHello; with `act`, in the same flight as what that writes. */
  start(act: (client: Connection) => void = () => {}): this {
    const connection = Connection.client(this.clientConfig(), this.#dependencies(), serverAddress, this.world.now)
    act(connection)
    this.client.start(connection)
    return this
  }

  clientConfig(): ClientConfig {
    return {
      alpn: ['test'],
      serverName: 'localhost',
      verifier: verifyChain(this.backend, [caDer]),
      timeOrigin: testTime,
      ...this.#options.client,
    }
  }

  serverConfig(): ServerConfig {
    const key = this.backend.privateKey(p256.keyPem)
    return {
      alpn: ['test'],
      certificates: singleCertificate({ chain: p256.chain, key }),
      psks: NoPsks,
      earlyData: refuseEarlyData,
      tickets: undefined,
      timeOrigin: testTime,
      ...this.#options.server,
    }
  }

  /** Runs until both ends have confirmed the handshake. */
  connect(): this {
    this.start()
    const isConfirmed = (host: Host): boolean => host.has('handshakeConfirmed')
    if (!this.world.run(() => isConfirmed(this.client) && isConfirmed(this.server), 120_000)) {
      throw new Error(`no handshake: ${JSON.stringify([this.client.events, this.server.events])}`)
    }
    return this
  }

  #accept(datagram: Uint8Array): Connection | undefined {
    const header = readHeader(datagram, 0, ID_LENGTH)
    if (header === undefined || header.version !== 1 || datagram.length < 1200) return undefined
    const deps = this.#dependencies()
    return Connection.server(
      this.serverConfig(),
      deps,
      {
        version: header.version,
        remote: clientAddress,
        destination: header.destination.slice(),
        source: header.source.slice(),
        localId: deps.ids.create(),
        originalDestination: header.destination.slice(),
        retrySource: undefined,
        isAddressValidated: this.#options.isAddressValidated ?? false,
      },
      this.world.now,
    )
  }

  #dependencies(): Parameters<typeof Connection.client>[1] {
    const { backend } = this
    const ids: ConnectionIdSource = {
      create: () => backend.random(ID_LENGTH),
      resetToken: id => backend.hmac('sha256', new Uint8Array(32), id).subarray(0, 16),
      retire: () => {},
    }
    const recorder = this.#options.recorder
    return { backend, ids, recorder: (_odcid, vantagePoint) => recorder?.(vantagePoint) ?? NoRecorder }
  }
}
