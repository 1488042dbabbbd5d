// How a client begins: with nothing, or with a PSK, of which it may hear late.

import type { CryptoBackend } from '../crypto/backend.ts'
import { type TransportParameters, writeTransportParameters } from '../packet/transport-parameters.ts'
import { RESERVED_VERSION_RANDOM, withReservedVersion } from '../packet/version.ts'
import type { Authorization, OfferedPsk } from '../tls13/ports.ts'
import { startClient, type TlsSession } from '../tls13/session.ts'
import { readRemembered } from '../zero-rtt/remembered-parameters.ts'
import { offeredPsk } from '../zero-rtt/resumption.ts'
import {
  CLIENT_VERSIONS,
  type ClientConfig,
  MAX_TOKEN_LENGTH,
  resolveFirstVersion,
  resolveVersions,
  type Transport,
} from './config.ts'
import { reservedParameter } from './grease.ts'
import { drainTls } from './handshake.ts'
import { HandshakeState } from './handshake-state.ts'
import { Keyring } from './keyring.ts'
import { packetSpaces } from './packet-space.ts'
import type { Parts } from './parts.ts'
import { streamLimits } from './stream-limits.ts'
import { Versions } from './versions.ts'

export interface ClientStart {
  readonly versions: Versions
  readonly tls: TlsSession
  /** The same without a PSK, in the version that is current then. */
  readonly beginTls: (now: number) => TlsSession
  /** The server's parameters early data goes by; undefined: none is offered. */
  readonly remembered: Uint8Array | undefined
  /** What the PSK says of the server. */
  readonly offered: Authorization | undefined
  readonly token: Uint8Array
  readonly initialRtt: number | undefined
}

export function clientStart(
  config: ClientConfig,
  backend: CryptoBackend,
  transport: Transport,
  localId: Uint8Array,
  now: number,
): ClientStart {
  const own = resolveVersions(config.versions, CLIENT_VERSIONS)
  // RFC 9369 §5: a ticket and its token are good for the version they came with.
  const resumption = config.resumption && own.includes(config.resumption.version) ? config.resumption : undefined
  const first = resolveFirstVersion(config.firstVersion, own)
  const versions = new Versions(own, resumption?.version ?? first)
  const timeOrigin = config.timeOrigin ?? 0
  const psk = resumption && offeredPsk(resumption, now + timeOrigin, config.earlyData ?? false)
  const begin = (offer: OfferedPsk | undefined, time: number): TlsSession => {
    const parameters = {
      ...transport.parameters,
      initialSourceConnectionId: localId,
      versionInformation: { chosen: versions.current, available: offeredVersions(versions, backend) },
    }
    return startClient(tlsClientConfig(config, backend, parameters, offer), time + timeOrigin)
  }
  const token = config.token ?? resumption?.token ?? nothing
  return {
    versions,
    tls: begin(psk, now),
    beginTls: time => begin(undefined, time),
    remembered: psk?.earlyData && resumption?.transportParameters,
    offered: psk && resumption?.authorization,
    token: token.length <= MAX_TOKEN_LENGTH ? token : nothing,
    initialRtt: resumption?.initialRtt,
  }
}

/** The parts take up what does not come with their making. */
export function applyStart(parts: Parts, { remembered, token }: ClientStart): void {
  parts.token = token
  parts.keyring.installInitial(parts.handshake.expected.originalDestination, true)
  if (remembered === undefined) return
  const limits = readRemembered(remembered)
  parts.streams.applyPeerLimits(streamLimits(limits))
  parts.datagrams.setPeerMaximum(limits.maxDatagramFrameSize)
}

/** A PSK was found after all, before anything was sent: begins anew with `config`. Streams that were opened stay. */
export function startAnew(parts: Parts, config: ClientConfig, now: number): void {
  if (!parts.isClient || parts.stats.datagramsSent > 0) throw new TypeError('it is too late for a PSK')
  if (!parts.close.isOpen) return
  const { backend } = parts.deps
  const start = clientStart(config, backend, parts.transport, parts.localId, now)
  parts.versions = start.versions
  parts.beginTls = start.beginTls
  parts.keyring = new Keyring(backend, start.versions.current)
  parts.spaces = packetSpaces(true, parts.transport.parameters)
  parts.handshake = new HandshakeState(start.tls, { ...parts.handshake.expected }, start.remembered, start.offered)
  applyStart(parts, start)
  drainTls(parts, now)
}

/** RFC 9368 §3: what we speak, and a version that nobody does. */
export function offeredVersions({ own }: Versions, backend: CryptoBackend): readonly number[] {
  return withReservedVersion(own, backend.random(RESERVED_VERSION_RANDOM))
}

function tlsClientConfig(
  config: ClientConfig,
  backend: CryptoBackend,
  parameters: TransportParameters,
  psk: OfferedPsk | undefined,
): Parameters<typeof startClient>[0] {
  return {
    backend,
    serverName: config.serverName,
    alpn: config.alpn,
    transportParameters: writeTransportParameters(parameters, reservedParameter(backend)),
    verifier: config.verifier,
    psk,
    ...(config.certificate && { certificate: config.certificate }),
    ...(config.cipherSuites && { cipherSuites: config.cipherSuites }),
    ...(config.groups && { groups: config.groups }),
    ...(config.compression && { compression: config.compression }),
    grease: config.grease,
    ...(config.keyLog && { keyLog: config.keyLog }),
  }
}

const nothing = new Uint8Array(0)
