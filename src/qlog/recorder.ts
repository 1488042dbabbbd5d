// What a connection tells to whoever logs it. The events are those of draft-ietf-quic-qlog-quic-events; nothing is
// built for a recorder that is not enabled: callers ask `if (recorder.enabled)` first.

import type { Frame } from '../packet/frames/frame.ts'
import type { Level, Space } from '../packet/level.ts'
import type { SentFrame } from '../packet/sent-frame.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'

export type Side = 'local' | 'remote'

export interface RecordedEndpoint {
  readonly host: string
  readonly port: number
  readonly connectionIds?: readonly Uint8Array[]
}

export interface RecordedVersions {
  readonly client?: readonly number[]
  readonly server?: readonly number[]
  readonly chosen?: number
}

export interface RecordedAlpn {
  readonly client?: readonly string[]
  readonly server?: readonly string[]
  readonly chosen?: string
}

/** The connection's own `closed` event has this shape. */
export interface RecordedClose {
  readonly errorCode: number
  readonly isApplication: boolean
  readonly reason: string
  readonly by: 'local' | 'peer' | 'idle' | 'reset'
}

/** Those that are known; ms, bytes, bits per second. */
export interface RecordedMetrics {
  readonly minRtt?: number
  readonly smoothedRtt?: number
  readonly latestRtt?: number
  readonly rttVariance?: number
  readonly ptoCount?: number
  readonly congestionWindow?: number
  readonly bytesInFlight?: number
  readonly ssthresh?: number
  readonly packetsInFlight?: number
  readonly pacingRate?: number
}

/** ms, bytes, packets. */
export interface RecordedRecoveryParameters {
  readonly timerGranularity: number
  readonly reorderingThreshold?: number
  readonly timeThreshold?: number
  readonly initialRtt?: number
  readonly maxDatagramSize?: number
  readonly initialCongestionWindow?: number
  readonly minimumCongestionWindow?: number
  readonly lossReductionFactor?: number
  readonly persistentCongestionThreshold?: number
}

/** What TLS settled, logged with the parameters. */
export interface RecordedTls {
  readonly cipher?: string
  readonly resumptionAllowed?: boolean
  readonly earlyDataEnabled?: boolean
}

export type RecordedState =
  | 'attempted'
  | 'handshake_started'
  | 'peer_validated'
  | 'early_write'
  | 'handshake_complete'
  | 'handshake_confirmed'
  | 'closing'
  | 'draining'
  | 'closed'

export type LossTrigger = 'reordering_threshold' | 'time_threshold' | 'pto_expired'
/** Why a packet is of no use. */
export type DropCause =
  /** It cannot be read, or breaks a rule for packets. */
  | 'invalid'
  /** Another version. */
  | 'unsupported'
  /** No room, or a path that is not ours. */
  | 'rejected'
  | 'duplicate'
  | 'connection_unknown'
  | 'decryption_failure'
  /** The keys are gone. */
  | 'key_unavailable'

/** Packets that no key protects. */
export type UnprotectedType = 'retry' | 'version_negotiation' | 'stateless_reset'
/** Why a packet is sent, if not for what is in it. */
export type PacketPurpose = 'mtu_probe' | 'pto_probe' | undefined
/** Where data comes from and goes to. */
export type Place = 'application' | 'transport' | 'network'
export type BlockedReason =
  | 'scheduling'
  | 'pacing'
  | 'amplification_protection'
  | 'congestion_control'
  | 'connection_flow_control'
  | 'stream_flow_control'

export type KeyTrigger = 'tls' | 'remote_update' | 'local_update'
export type TimerName = 'ack' | 'pto' | 'loss_timeout' | 'path_validation' | 'handshake_timeout' | 'idle_timeout'

/** The frames of a packet: its plaintext, read only when logged, or the frames themselves. */
export type RecordedPayload = Uint8Array | readonly Frame[]

/** `now` is the connection's monotonic ms. */
export interface Recorder {
  readonly enabled: boolean

  connectionStarted(local: RecordedEndpoint, remote: RecordedEndpoint, now: number): void
  /** Of an endpoint, not a connection. */
  serverListening(local: RecordedEndpoint, now: number): void
  /** The peer is reached elsewhere. */
  tupleAssigned(remote: RecordedEndpoint, now: number): void
  connectionStateUpdated(state: RecordedState, now: number): void
  connectionIdUpdated(side: Side, before: Uint8Array | undefined, after: Uint8Array | undefined, now: number): void
  connectionClosed(close: RecordedClose, now: number): void
  versionInformation(versions: RecordedVersions, now: number): void
  alpnInformation(alpn: RecordedAlpn, now: number): void
  parametersSet(side: Side, parameters: TransportParameters, tls: RecordedTls, now: number): void
  tlsSet(tls: RecordedTls, now: number): void
  /** What a client remembers for 0-RTT. */
  parametersRestored(parameters: TransportParameters, now: number): void

  /** `size` is that of the whole protected packet. */
  packetSent(
    level: Level,
    number: number,
    size: number,
    payload: RecordedPayload,
    purpose: PacketPurpose,
    now: number,
  ): void
  packetReceived(level: Level, number: number, size: number, payload: RecordedPayload, now: number): void
  /** `versions` are those of a Version Negotiation packet. */
  unprotectedPacket(by: Side, type: UnprotectedType, size: number, versions: readonly number[], now: number): void
  /** UDP datagrams; dropped is what holds no packet. */
  datagramSent(size: number, now: number): void
  datagramReceived(size: number, now: number): void
  datagramDropped(size: number, now: number): void
  packetDropped(size: number, cause: DropCause, now: number): void
  /** Not yet decryptable, kept for later. */
  packetBuffered(level: Level, size: number, now: number): void
  packetsAcked(space: Space, numbers: readonly number[], now: number): void
  packetLost(level: Level, number: number, trigger: LossTrigger | undefined, isMtuProbe: boolean, now: number): void
  /** What lost packets carried that has to be said again. */
  markedForRetransmit(frames: readonly SentFrame[], now: number): void

  recoveryParametersSet(parameters: RecordedRecoveryParameters, now: number): void
  metricsUpdated(metrics: RecordedMetrics, now: number): void
  congestionStateUpdated(state: string, trigger: string | undefined, now: number): void
  /** `due`: when it fires, in the time of `now`; Infinity when it was cancelled. */
  timerUpdated(timer: TimerName, space: Space | undefined, due: number, now: number): void
  timerExpired(timer: TimerName, space: Space | undefined, now: number): void
  mtuUpdated(before: number, after: number, isDone: boolean, now: number): void
  migrationStateUpdated(state: MigrationState, now: number): void

  /** The key of one direction, or of both. `keyPhase` belongs to 1-RTT alone. */
  keyUpdated(
    level: Level,
    owner: 'client' | 'server' | 'both',
    trigger: KeyTrigger,
    keyPhase: number | undefined,
    now: number,
  ): void
  keyDiscarded(level: Level, now: number): void

  streamStateUpdated(id: number, part: 'sending' | 'receiving', state: StreamState, now: number): void
  streamDataMoved(id: number, length: number, fin: boolean, from: Place, to: Place, now: number): void
  datagramDataMoved(length: number, from: Place, to: Place, now: number): void
  /** Whether there is something that cannot be sent now, and why. */
  dataBlockedUpdated(what: 'connection' | 'datagram', reason: BlockedReason | undefined, now: number): void
}

export type StreamState = 'idle' | 'open' | 'closed'

export type MigrationState =
  | 'probing_started'
  | 'probing_abandoned'
  | 'probing_successful'
  | 'migration_started'
  | 'migration_abandoned'
  | 'migration_complete'

const ignore = (): void => {}

/** The null object: not enabled, so that nobody even builds what it would ignore. */
export const NoRecorder: Recorder = {
  enabled: false,
  connectionStarted: ignore,
  connectionStateUpdated: ignore,
  connectionIdUpdated: ignore,
  connectionClosed: ignore,
  versionInformation: ignore,
  alpnInformation: ignore,
  parametersSet: ignore,
  parametersRestored: ignore,
  packetSent: ignore,
  packetReceived: ignore,
  serverListening: ignore,
  tupleAssigned: ignore,
  tlsSet: ignore,
  unprotectedPacket: ignore,
  datagramSent: ignore,
  datagramReceived: ignore,
  datagramDropped: ignore,
  markedForRetransmit: ignore,
  streamDataMoved: ignore,
  datagramDataMoved: ignore,
  dataBlockedUpdated: ignore,
  packetDropped: ignore,
  packetBuffered: ignore,
  packetsAcked: ignore,
  packetLost: ignore,
  recoveryParametersSet: ignore,
  metricsUpdated: ignore,
  congestionStateUpdated: ignore,
  timerUpdated: ignore,
  timerExpired: ignore,
  mtuUpdated: ignore,
  migrationStateUpdated: ignore,
  keyUpdated: ignore,
  keyDiscarded: ignore,
  streamStateUpdated: ignore,
}
