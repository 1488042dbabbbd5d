// A client and a server joined by two links.

import { toHex } from '../../src/bytes/hex.ts'
import type { MemoryBudget } from '../../src/bytes/memory-budget.ts'
import { Writer } from '../../src/bytes/writer.ts'
import {
  type ClientConfig,
  type Dependencies,
  SERVER_VERSIONS,
  type ServerConfig,
} from '../../src/connection/config.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionIdSource } from '../../src/connection/local-ids.ts'
import type { Address } from '../../src/connection/path.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { retryTag } from '../../src/crypto/retry-integrity.ts'
import { type PacketHeader, PacketKind, readHeader } from '../../src/packet/header.ts'
import { writeRetry } from '../../src/packet/retry.ts'
import { writeVersionNegotiation } from '../../src/packet/version.ts'
import { NoRecorder, type Recorder } from '../../src/qlog/recorder.ts'
import { singleCertificate, verifyChain } from '../../src/tls13/certificate-policy.ts'
import { refuseEarlyData } from '../../src/tls13/ports.ts'
import type { AddressTokens } from '../../src/zero-rtt/address-token.ts'
import { NoPsks } from '../../src/zero-rtt/psk-sources.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { elementsOf, type Topology } from './elements.ts'
import { Host } from './host.ts'
import { Link, type LinkOptions } from './link.ts'
import { World } from './world.ts'

export const clientAddress = { host: '192.0.2.1', port: 40_000 }
export const serverAddress = { host: '192.0.2.2', port: 443 }
export const ID_LENGTH = 8

export interface PairOptions {
  readonly seed?: number
  /** What lies between the two, in place of the three that follow. */
  readonly topology?: Topology
  /** Both directions. */
  readonly link?: LinkOptions
  readonly toServer?: LinkOptions
  readonly toClient?: LinkOptions
  /** Links that exist already: shared with another pair. */
  readonly links?: { readonly toServer: Link; readonly toClient: Link }
  readonly client?: Partial<ClientConfig>
  readonly server?: Partial<ServerConfig>
  readonly recorder?: (vantagePoint: 'client' | 'server', originalDestination: Uint8Array) => Recorder
  /** A world that exists already: for a second connection in it. */
  readonly world?: World
  readonly isAddressValidated?: boolean
  readonly bufferSize?: number
  /** The largest UDP payload of the interfaces of both. */
  readonly interfacePayload?: number
  /** What each may hold. */
  readonly budgets?: Readonly<Record<'client' | 'server', MemoryBudget>>
  /** The server sends a Retry to whoever brings no token of these. */
  readonly retry?: AddressTokens
}

export class Pair {
  readonly world: World
  readonly backend: CryptoBackend
  readonly client: Host
  readonly server: Host
  readonly toServer: Link
  readonly toClient: Link
  /** Ids that are not routed any more, hex. */
  readonly retired: Record<'client' | 'server', string[]> = { client: [], server: [] }
  readonly #options: PairOptions

  constructor(options: PairOptions = {}) {
    this.#options = options
    this.world = options.world ?? new World(options.seed)
    this.toServer = options.links?.toServer ?? this.#link('toServer')
    this.toClient = options.links?.toClient ?? this.#link('toClient')
    this.backend = this.world.backend(this.toServer.mayCorrupt || this.toClient.mayCorrupt)
    this.client = new Host(this.world, clientAddress, this.toServer, options.bufferSize)
    this.server = new Host(this.world, serverAddress, this.toClient, options.bufferSize)
    this.client.join(this.server)
    this.server.join(this.client)
    this.server.accept = (datagram, from) => this.#accept(datagram, from)
  }

  #link(direction: 'toServer' | 'toClient'): Link {
    const { topology, link } = this.#options
    return new Link(this.world, topology ? elementsOf(topology, direction) : { ...link, ...this.#options[direction] })
  }

  /** Sends the ClientHello; with `act`, in the same flight as what that writes. */
  start(act: (client: Connection) => void = () => {}): this {
    const config = this.clientConfig()
    const connection = Connection.client(config, this.#dependencies('client'), serverAddress, this.world.now)
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

  /** What an endpoint does with a stranger's datagram. */
  #accept(datagram: Uint8Array, from: Address): Connection | undefined {
    const header = readHeader(datagram, 0, ID_LENGTH, true)
    if (header === undefined || datagram.length < 1200) return undefined
    const versions = this.#options.server?.versions ?? SERVER_VERSIONS
    if (!versions.includes(header.version)) return this.sendVersions(header, versions)
    if (header.kind !== PacketKind.Initial) return undefined
    const origin = this.#origin(header, from)
    if (origin === undefined) return undefined
    const deps = this.#dependencies('server')
    const accepted = {
      version: header.version,
      remote: from,
      destination: header.destination.slice(),
      source: header.source.slice(),
      localId: deps.ids.create(),
      ...origin,
    }
    return Connection.server(this.serverConfig(), deps, accepted, this.world.now)
  }

  /** RFC 9000 §8.1.2. Undefined: a Retry was sent. */
  #origin(header: PacketHeader, from: Address): Origin | undefined {
    const originalDestination = header.destination.slice()
    const { retry, isAddressValidated = false } = this.#options
    if (retry === undefined) return { isAddressValidated, originalDestination, retrySource: undefined }
    const unixTime = this.world.now + testTime
    const answer = retry.read(header.token, `${from.host}:${from.port}`, unixTime)
    if (answer?.kind === 'retry') return { ...answer, isAddressValidated: true }
    if (answer?.kind === 'new') return { isAddressValidated: true, originalDestination, retrySource: undefined }
    this.sendRetry(header, retry.retryToken(`${from.host}:${from.port}`, originalDestination, RETRY_ID, unixTime))
    return undefined
  }

  /** A Version Negotiation packet of the server for the packet with `header`. */
  sendVersions(header: PacketHeader, versions: readonly number[]): undefined {
    const writer = Writer.allocate(200)
    writeVersionNegotiation(writer, header.source, header.destination, versions, 0)
    this.server.send(writer.bytes.slice(0, writer.pos))
  }

  /** A Retry packet of the server for the Initial with `header`. */
  sendRetry(header: PacketHeader, token: Uint8Array, source: Uint8Array = RETRY_ID): void {
    const writer = Writer.allocate(1200)
    writeRetry(writer, header.version, header.source, source, token, 0)
    const pseudo = writer.bytes.subarray(0, writer.pos)
    writer.put(retryTag(this.backend, header.version, header.destination, pseudo.slice()))
    this.server.send(writer.bytes.slice(0, writer.pos))
  }

  #dependencies(vantagePoint: 'client' | 'server'): Dependencies {
    const { backend } = this
    const retired = this.retired[vantagePoint]
    const ids: ConnectionIdSource = {
      create: () => backend.random(ID_LENGTH),
      resetToken,
      retire: id => retired.push(toHex(id)),
    }
    const { recorder, interfacePayload, budgets } = this.#options
    return {
      backend,
      ids,
      recorder: odcid => recorder?.(vantagePoint, odcid) ?? NoRecorder,
      interfacePayload: () => interfacePayload,
      ...(budgets && { memory: budgets[vantagePoint] }),
    }
  }
}

interface Origin {
  readonly isAddressValidated: boolean
  readonly originalDestination: Uint8Array
  readonly retrySource: Uint8Array | undefined
}

/** The id that a Retry of the server brings. */
export const RETRY_ID: Uint8Array = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

/** The stateless reset token of both hosts' ids. */
export function resetToken(id: Uint8Array): Uint8Array {
  return nodeBackend.hmac('sha256', new Uint8Array(32), id).subarray(0, 16)
}
