// Putting the parts of a connection together, for either role.

import { equal } from '../bytes/equal.ts'
import { MemoryAccount, MemoryBudget } from '../bytes/memory-budget.ts'
import {
  type PreferredAddress,
  readTransportParameters,
  type TransportParameters,
  writeTransportParameters,
} from '../packet/transport-parameters.ts'
import { Recovery } from '../recovery/recovery.ts'
import { StreamSet } from '../streams/stream-set.ts'
import {
  type Authorization,
  type EarlyDataAttempt,
  type EarlyDataGate,
  type PskSource,
  refuseEarlyData,
  type TicketIssuer,
} from '../tls13/ports.ts'
import { startServer, type TlsSession } from '../tls13/session.ts'
import { canHonour } from '../zero-rtt/remembered-parameters.ts'
import { AckRequests } from './ack-frequency.ts'
import { applyStart, clientStart, offeredVersions } from './client-start.ts'
import { Close } from './close.ts'
import {
  ACTIVE_CONNECTION_ID_LIMIT,
  type Accepted,
  type ClientConfig,
  type Dependencies,
  resolveTransport,
  resolveVersions,
  type ServerConfig,
  type Transport,
  versionsFrom,
} from './config.ts'
import { Datagrams } from './datagrams.ts'
import { Departure } from './departure.ts'
import { EventQueue } from './event-queue.ts'
import { FirstByteBits, reservedParameter } from './grease.ts'
import { type ExpectedIds, HandshakeState } from './handshake-state.ts'
import { Idle } from './idle.ts'
import { Keyring } from './keyring.ts'
import { LocalIds } from './local-ids.ts'
import { HandshakeDone, NewToken } from './one-shot.ts'
import { packetSpaces } from './packet-space.ts'
import { Parked } from './parked.ts'
import type { Parts } from './parts.ts'
import { type Address, Path } from './path.ts'
import { newMtuDiscovery } from './path-mtu.ts'
import { CHALLENGE_LENGTH } from './path-validation.ts'
import { PeerIds } from './peer-ids.ts'
import { type PreferredAddresses, preferredAddress } from './preferred-address.ts'
import { Probes } from './probes.ts'
import { Silence } from './silence.ts'
import { Stats } from './stats.ts'
import { streamLimits } from './stream-limits.ts'
import { Versions } from './versions.ts'

/** RFC 9000 §7.2: at least 8 unpredictable bytes. */
const FIRST_DESTINATION_LENGTH = 8

const nothing = new Uint8Array(0)

export function assembleClient(config: ClientConfig, deps: Dependencies, remote: Address, now: number): Parts {
  const transport = resolveTransport(config.transport)
  const localId = deps.ids.create()
  const destination = deps.backend.random(FIRST_DESTINATION_LENGTH)
  const start = clientStart(config, deps.backend, transport, localId, now)
  const expected: ExpectedIds = { originalDestination: destination, retrySource: undefined, peerSource: undefined }
  const parts = assemble(
    {
      isClient: true,
      versions: start.versions,
      followsPreferredAddress: config.followPreferredAddress ?? true,
      deps,
      transport,
      timeOrigin: config.timeOrigin ?? 0,
      localId,
      expected,
      tls: start.tls,
      offered: start.offered,
      now,
    },
    start.remembered,
    new PeerIds(destination, ACTIVE_CONNECTION_ID_LIMIT),
    // A client does not limit itself towards the address it chose.
    new Path(remote, true, () => deps.backend.random(CHALLENGE_LENGTH)),
    undefined,
    start.initialRtt,
    start.beginTls,
  )
  applyStart(parts, start)
  return parts
}

export function assembleServer(config: ServerConfig, deps: Dependencies, accepted: Accepted, now: number): Parts {
  const transport = resolveTransport(config.transport)
  const preferred = config.preferredAddress && preferredWithId(config.preferredAddress, deps)
  const parameters: TransportParameters = {
    ...transport.parameters,
    initialSourceConnectionId: accepted.localId,
    originalDestinationConnectionId: accepted.originalDestination,
    retrySourceConnectionId: accepted.retrySource,
    statelessResetToken: deps.ids.resetToken(accepted.localId),
    preferredAddress: preferred,
  }
  const appState = config.appState ?? nothing
  const versions = new Versions(resolveVersions(config.versions, versionsFrom(accepted.version)), accepted.version)
  const tls = startServer({
    backend: deps.backend,
    alpn: config.alpn,
    ...(config.protocols && { protocols: config.protocols }),
    transportParameters: client => {
      const chosen = versions.answer(readTransportParameters(client, 'client').versionInformation)
      const versionInformation = { chosen, available: offeredVersions(versions, deps.backend) }
      return writeTransportParameters({ ...parameters, versionInformation }, reservedParameter(deps.backend))
    },
    certificates: config.certificates,
    ...(config.clientAuthentication && { clientAuthentication: config.clientAuthentication }),
    psks: ofVersion(config.psks, accepted.version),
    earlyData: honouring(config.earlyData, parameters, appState),
    ...(config.authorize && { authorize: config.authorize }),
    tickets: config.tickets && marking(config.tickets, versions),
    ticketCount: config.ticketCount ?? 2,
    ticketTerms: config.earlyData !== refuseEarlyData,
    appState,
    ...(config.cipherSuites && { cipherSuites: config.cipherSuites }),
    ...(config.groups && { groups: config.groups }),
    ...(config.compression && { compression: config.compression }),
    ...(config.keyLog && { keyLog: config.keyLog }),
  })
  const expected: ExpectedIds = {
    originalDestination: accepted.originalDestination,
    retrySource: accepted.retrySource,
    peerSource: accepted.source,
  }
  const timeOrigin = config.timeOrigin ?? 0
  const parts = assemble(
    {
      isClient: false,
      versions,
      followsPreferredAddress: false,
      deps,
      transport,
      timeOrigin,
      localId: accepted.localId,
      expected,
      tls,
      offered: undefined,
      now,
    },
    undefined,
    new PeerIds(accepted.source, ACTIVE_CONNECTION_ID_LIMIT),
    new Path(accepted.remote, accepted.isAddressValidated, () => deps.backend.random(CHALLENGE_LENGTH)),
    config.newToken,
    undefined,
    undefined,
  )
  parts.keyring.installInitial(accepted.destination, false)
  if (preferred) {
    parts.localIds.addPreferred(preferred.connectionId)
    parts.departure.firstSocket = accepted.remote.via ?? 0
  }
  return parts
}

function preferredWithId(addresses: PreferredAddresses, { ids }: Dependencies): PreferredAddress {
  const id = ids.create()
  return preferredAddress(addresses, id, ids.resetToken(id))
}

/** RFC 9000 §7.4.1, RFC 9114 §7.2.4.2: early data only while everything it was sealed under still holds. */
function honouring(gate: EarlyDataGate, parameters: TransportParameters, appState: Uint8Array): EarlyDataGate {
  const isHonoured = ({ psk }: EarlyDataAttempt): boolean =>
    psk.earlyData !== undefined &&
    canHonour(psk.earlyData.transportParameters, parameters) &&
    equal(psk.appState, appState)
  return {
    later: attempt => (isHonoured(attempt) ? gate.later?.(attempt) : undefined),
    admit(attempt) {
      if (isHonoured(attempt)) return gate.admit(attempt)
      attempt.refusal = 'terms'
      return false
    },
  }
}

/** RFC 9369 §5: a ticket of another version is not one of ours. */
function ofVersion(psks: PskSource, version: number): PskSource {
  return {
    find(identity, obfuscatedAge, unixTime) {
      const psk = psks.find(identity, obfuscatedAge, unixTime)
      return psk?.version === undefined || psk.version === version ? psk : undefined
    },
  }
}

function marking(tickets: TicketIssuer, versions: Versions): TicketIssuer {
  return { issue: state => tickets.issue({ ...state, version: versions.current }) }
}

interface Basics {
  readonly isClient: boolean
  readonly versions: Versions
  readonly followsPreferredAddress: boolean
  readonly deps: Dependencies
  readonly transport: Transport
  readonly timeOrigin: number
  readonly localId: Uint8Array
  readonly expected: ExpectedIds
  readonly tls: TlsSession
  /** Client: what its PSK says of the server. */
  readonly offered: Authorization | undefined
  readonly now: number
}

function assemble(
  basics: Basics,
  remembered: Uint8Array | undefined,
  peerIds: PeerIds,
  path: Path,
  newAddressToken: Parts['newAddressToken'],
  initialRtt: number | undefined,
  beginTls: Parts['beginTls'],
): Parts {
  const { isClient, deps, transport, localId, now } = basics
  const { parameters } = transport
  const memory = new MemoryAccount(deps.memory ?? new MemoryBudget())
  const events = new EventQueue(memory)
  const recovery = newRecovery(basics, initialRtt)
  return {
    isClient,
    versions: basics.versions,
    transport,
    deps,
    recorder: deps.recorder(basics.expected.originalDestination, isClient ? 'client' : 'server'),
    timeOrigin: basics.timeOrigin,
    newAddressToken,
    beginTls,
    localId,
    events,
    keyring: new Keyring(deps.backend, basics.versions.current),
    spaces: packetSpaces(isClient, parameters),
    handshake: new HandshakeState(basics.tls, basics.expected, remembered, basics.offered),
    recovery,
    streams: streamSet(isClient, transport, events, memory),
    path,
    probes: new Probes(),
    departure: new Departure(),
    followsPreferredAddress: basics.followsPreferredAddress,
    localIds: new LocalIds(localId, deps.ids),
    peerIds,
    mtu: newMtuDiscovery(transport),
    idle: new Idle(parameters.maxIdleTimeout, now),
    silence: new Silence(),
    close: new Close(),
    datagrams: new Datagrams(parameters.maxDatagramFrameSize, events, memory),
    handshakeDone: new HandshakeDone(),
    newToken: new NewToken(),
    ackRequests: new AckRequests(recovery),
    firstByte: new FirstByteBits(deps.backend),
    parked: new Parked(),
    stats: new Stats(now),
    memory,
    handshakeMemory: 0,
    token: nothing,
  }
}

function newRecovery({ isClient, transport, deps }: Basics, rememberedRtt: number | undefined): Recovery {
  const initialRtt = transport.initialRtt ?? rememberedRtt
  return new Recovery({
    isServer: !isClient,
    maxDatagramSize: transport.maxDatagramSize,
    random: () => (deps.backend.random(1)[0] as number) / 256,
    ...(initialRtt !== undefined && { initialRtt }),
    ...(transport.congestion && { congestion: transport.congestion }),
  })
}

function streamSet(isClient: boolean, transport: Transport, events: EventQueue, memory: MemoryAccount): StreamSet {
  const limits = streamLimits(transport.parameters)
  return new StreamSet(isClient ? 'client' : 'server', limits, events, { ...transport, memory })
}
