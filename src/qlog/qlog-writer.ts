// A log of one connection as JSON Text Sequences (draft-ietf-quic-qlog-main-schema, QlogFileSeq; RFC 7464), with the
// events of draft-ietf-quic-qlog-quic-events. No keys, no tokens, no data.

import { toHex } from '../bytes/hex.ts'
import { Level, type Space } from '../packet/level.ts'
import type { SentFrame } from '../packet/sent-frame.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'
import { renderClosed, renderMetrics } from './qlog-connection.ts'
import { type QlogObject, renderPayload } from './qlog-frames.ts'
import { keyTypes, packetTypes, spaceName, streamType, versionText } from './qlog-names.ts'
import { renderEndpoint, renderParameters, renderRestored, renderTls } from './qlog-parameters.ts'
import { renderAllSent } from './qlog-sent.ts'
import type {
  BlockedReason,
  DropCause,
  KeyTrigger,
  LossTrigger,
  MigrationState,
  PacketPurpose,
  Place,
  RecordedAlpn,
  RecordedClose,
  RecordedEndpoint,
  RecordedMetrics,
  RecordedPayload,
  RecordedRecoveryParameters,
  RecordedState,
  RecordedTls,
  RecordedVersions,
  Recorder,
  Side,
  StreamState,
  TimerName,
  UnprotectedType,
} from './recorder.ts'

export interface QlogOptions {
  readonly vantagePoint: 'client' | 'server'
  /** Original destination connection id: the name of the connection on both sides. */
  readonly odcid: Uint8Array
  /** Default none. */
  readonly title?: string
  /** The connection's `now` that the log calls 0. Default 0. */
  readonly referenceTime?: number
  /** The wall clock at `referenceTime`, as RFC 3339 writes it. Default none. */
  readonly wallClock?: string
}

/** RFC 7464 §2.2: in front of every record. */
export const RECORD_SEPARATOR: string = '\u001e'

/** Extension of such files (draft-ietf-quic-qlog-main-schema, JSON-SEQ mapping). */
export const QLOG_EXTENSION: string = '.sqlog'

export const EVENT_SCHEMA: string = 'urn:ietf:params:qlog:events:quic-13'

/** `83a5…_client.sqlog`. */
export function qlogFileName(options: Pick<QlogOptions, 'odcid' | 'vantagePoint'>): string {
  return `${toHex(options.odcid)}_${options.vantagePoint}${QLOG_EXTENSION}`
}

export class QlogWriter implements Recorder {
  readonly enabled = true
  readonly #write: (line: string) => void
  readonly #referenceTime: number
  readonly #ackExponents: Record<Side, number> = { local: 3, remote: 3 }
  #state: RecordedState | undefined = undefined
  #congestion: string | undefined = undefined
  #migration: MigrationState | undefined = undefined
  #metrics: QlogObject = {}
  /** By what is blocked, numbers being streams: why. */
  readonly #blocked = new Map<'connection' | 'datagram' | number, BlockedReason>()
  readonly #streamStates = new Map<string, StreamState>()

  /** `write` gets whole records, separator and line feed included. The header is written at once. */
  constructor(write: (line: string) => void, options: QlogOptions) {
    this.#write = write
    this.#referenceTime = options.referenceTime ?? 0
    this.#record(header(options))
  }

  connectionStarted(local: RecordedEndpoint, remote: RecordedEndpoint, now: number): void {
    this.#event('connection_started', { local: renderEndpoint(local), remote: renderEndpoint(remote) }, now)
  }

  serverListening(local: RecordedEndpoint, now: number): void {
    this.#event('server_listening', renderEndpoint(local), now)
  }

  tupleAssigned(remote: RecordedEndpoint, now: number): void {
    this.#event('tuple_assigned', { tuple_id: '', tuple_remote: renderEndpoint(remote) }, now)
  }

  connectionStateUpdated(state: RecordedState, now: number): void {
    if (state === this.#state) return
    this.#event('connection_state_updated', { old: this.#state, new: state }, now)
    this.#state = state
  }

  connectionIdUpdated(side: Side, before: Uint8Array | undefined, after: Uint8Array | undefined, now: number): void {
    const ids = { old: before && toHex(before), new: after && toHex(after) }
    this.#event('connection_id_updated', { initiator: side, ...ids }, now)
  }

  connectionClosed(close: RecordedClose, now: number): void {
    this.#event('connection_closed', renderClosed(close), now)
  }

  versionInformation(versions: RecordedVersions, now: number): void {
    const { client, server, chosen } = versions
    const data = {
      server_versions: server?.map(versionText),
      client_versions: client?.map(versionText),
      chosen_version: chosen === undefined ? undefined : versionText(chosen),
    }
    this.#event('version_information', data, now)
  }

  alpnInformation(alpn: RecordedAlpn, now: number): void {
    const identifier = (name: string): QlogObject => ({ string_value: name })
    const data = {
      server_alpns: alpn.server?.map(identifier),
      client_alpns: alpn.client?.map(identifier),
      chosen_alpn: alpn.chosen === undefined ? undefined : identifier(alpn.chosen),
    }
    this.#event('alpn_information', data, now)
  }

  parametersSet(side: Side, parameters: TransportParameters, tls: RecordedTls, now: number): void {
    this.#ackExponents[side] = parameters.ackDelayExponent
    this.#event('parameters_set', renderParameters(side, parameters, tls), now)
  }

  parametersRestored(parameters: TransportParameters, now: number): void {
    this.#event('parameters_restored', renderRestored(parameters), now)
  }

  tlsSet(tls: RecordedTls, now: number): void {
    this.#event('parameters_set', renderTls(tls), now)
  }

  packetSent(
    level: Level,
    number: number,
    size: number,
    payload: RecordedPayload,
    purpose: PacketPurpose,
    now: number,
  ): void {
    const packet = this.#packet('local', level, number, size, payload)
    const isProbe = purpose === 'mtu_probe' || undefined
    const trigger = purpose === 'pto_probe' ? purpose : undefined
    this.#event('packet_sent', { ...packet, is_mtu_probe_packet: isProbe, trigger }, now)
    this.#watchCredit(packet['frames'] as QlogObject[], 'local', now)
  }

  packetReceived(level: Level, number: number, size: number, payload: RecordedPayload, now: number): void {
    const packet = this.#packet('remote', level, number, size, payload)
    this.#event('packet_received', packet, now)
    this.#watchCredit(packet['frames'] as QlogObject[], 'remote', now)
  }

  unprotectedPacket(by: Side, type: UnprotectedType, size: number, versions: readonly number[], now: number): void {
    const data = {
      header: { packet_type: type },
      raw: { length: size },
      supported_versions: versions.length > 0 ? versions.map(versionText) : undefined,
      // The schema wants it, and whoever has it can end a connection: zeros stand for it.
      stateless_reset_token: type === 'stateless_reset' ? '0'.repeat(32) : undefined,
    }
    this.#event(by === 'local' ? 'packet_sent' : 'packet_received', data, now)
  }

  datagramSent(size: number, now: number): void {
    this.#event('udp_datagrams_sent', { count: 1, raw: [{ length: size, payload_length: size }] }, now)
  }

  datagramReceived(size: number, now: number): void {
    this.#event('udp_datagrams_received', { count: 1, raw: [{ length: size, payload_length: size }] }, now)
  }

  datagramDropped(size: number, now: number): void {
    this.#event('udp_datagram_dropped', { raw: { length: size, payload_length: size } }, now)
  }

  packetDropped(size: number, cause: DropCause, now: number): void {
    this.#event('packet_dropped', { raw: { length: size }, trigger: cause }, now)
  }

  packetBuffered(level: Level, size: number, now: number): void {
    const header = { packet_type: packetTypes[level] }
    this.#event('packet_buffered', { header, raw: { length: size }, trigger: 'keys_unavailable' }, now)
  }

  packetsAcked(space: Space, numbers: readonly number[], now: number): void {
    if (numbers.length === 0) return
    this.#event('packets_acked', { packet_number_space: spaceName(space), packet_numbers: numbers }, now)
  }

  packetLost(level: Level, number: number, trigger: LossTrigger | undefined, isMtuProbe: boolean, now: number): void {
    const isProbe = isMtuProbe || undefined
    this.#event('packet_lost', { header: packetHeader(level, number), is_mtu_probe_packet: isProbe, trigger }, now)
  }

  markedForRetransmit(sent: readonly SentFrame[], now: number): void {
    const frames = renderAllSent(sent)
    if (frames.length > 0) this.#event('marked_for_retransmit', { frames }, now)
  }

  recoveryParametersSet(parameters: RecordedRecoveryParameters, now: number): void {
    const data = {
      timer_granularity: parameters.timerGranularity,
      reordering_threshold: parameters.reorderingThreshold,
      time_threshold: parameters.timeThreshold,
      initial_rtt: parameters.initialRtt,
      max_datagram_size: parameters.maxDatagramSize,
      initial_congestion_window: parameters.initialCongestionWindow,
      minimum_congestion_window: parameters.minimumCongestionWindow,
      loss_reduction_factor: parameters.lossReductionFactor,
      persistent_congestion_threshold: parameters.persistentCongestionThreshold,
    }
    this.#event('recovery_parameters_set', data, now)
  }

  /** Only what changed is written. */
  metricsUpdated(metrics: RecordedMetrics, now: number): void {
    const current = renderMetrics(metrics)
    const changed = Object.entries(current).filter(([name, value]) => value !== this.#metrics[name])
    if (changed.length === 0) return
    this.#metrics = { ...this.#metrics, ...current }
    this.#event('recovery_metrics_updated', Object.fromEntries(changed), now)
  }

  congestionStateUpdated(state: string, trigger: string | undefined, now: number): void {
    if (state === this.#congestion) return
    this.#event('congestion_state_updated', { old: this.#congestion, new: state, trigger }, now)
    this.#congestion = state
  }

  timerUpdated(timer: TimerName, space: Space | undefined, due: number, now: number): void {
    const isSet = Number.isFinite(due)
    const change = { event_type: isSet ? 'set' : 'cancelled', delta: isSet ? Math.max(0, due - now) : undefined }
    this.#event('timer_updated', { timer_type: timer, packet_number_space: spaceName(space), ...change }, now)
  }

  timerExpired(timer: TimerName, space: Space | undefined, now: number): void {
    const data = { timer_type: timer, packet_number_space: spaceName(space), event_type: 'expired' }
    this.#event('timer_updated', data, now)
  }

  mtuUpdated(before: number, after: number, isDone: boolean, now: number): void {
    this.#event('mtu_updated', { old: before, new: after, done: isDone }, now)
  }

  migrationStateUpdated(state: MigrationState, now: number): void {
    this.#event('migration_state_updated', { old: this.#migration, new: state }, now)
    this.#migration = state
  }

  keyUpdated(
    level: Level,
    owner: 'client' | 'server' | 'both',
    trigger: KeyTrigger,
    keyPhase: number | undefined,
    now: number,
  ): void {
    const types = keyTypes(level).filter(type => owner === 'both' || type.startsWith(owner))
    for (const type of types) this.#event('key_updated', { key_type: type, key_phase: keyPhase, trigger }, now)
  }

  keyDiscarded(level: Level, now: number): void {
    for (const type of keyTypes(level)) this.#event('key_discarded', { key_type: type }, now)
  }

  streamStateUpdated(id: number, part: 'sending' | 'receiving', state: StreamState, now: number): void {
    const key = `${id} ${part}`
    const old = this.#streamStates.get(key) ?? 'idle'
    // Said once: a stream may be closed in more than one way.
    if (old === state || (old === 'idle' && state === 'closed')) return
    if (state === 'closed') this.#streamStates.delete(key)
    else this.#streamStates.set(key, state)
    const data = { stream_id: id, stream_type: streamType(id), old, new: state, stream_side: part }
    this.#event('stream_state_updated', data, now)
  }

  streamDataMoved(id: number, length: number, fin: boolean, from: Place, to: Place, now: number): void {
    const info = fin ? 'fin_set' : undefined
    this.#event('stream_data_moved', { stream_id: id, from, to, additional_info: info, raw: { length } }, now)
  }

  datagramDataMoved(length: number, from: Place, to: Place, now: number): void {
    this.#event('datagram_data_moved', { from, to, raw: { length } }, now)
  }

  /** Credit is watched in the frames themselves, and comes first. */
  dataBlockedUpdated(what: 'connection' | 'datagram', reason: BlockedReason | undefined, now: number): void {
    if (this.#blocked.get(what) !== 'connection_flow_control') this.#setBlocked(what, reason, now)
  }

  #packet(sender: Side, level: Level, number: number, size: number, payload: RecordedPayload): QlogObject {
    // RFC 9000 §18.2: the exponent is declared during the handshake and applies after it.
    const exponent = level === Level.OneRtt ? this.#ackExponents[sender] : 3
    const frames = renderPayload(payload, level, exponent)
    return { header: packetHeader(level, number), raw: { length: size }, frames }
  }

  /** RFC 9000 §4.1: we said that we are blocked, and the peer gives new credit. */
  #watchCredit(frames: readonly QlogObject[], sender: Side, now: number): void {
    for (const { frame_type: type, stream_id: id } of frames) {
      if (sender === 'remote') {
        if (type === 'max_data') this.#hasCredit('connection', now)
        else if (type === 'max_stream_data') this.#hasCredit(id as number, now)
      } else if (type === 'data_blocked') this.#setBlocked('connection', 'connection_flow_control', now)
      else if (type === 'stream_data_blocked') this.#setBlocked(id as number, 'stream_flow_control', now)
    }
  }

  #hasCredit(what: 'connection' | number, now: number): void {
    if (this.#blocked.get(what)?.endsWith('flow_control')) this.#setBlocked(what, undefined, now)
  }

  /** Written when it changes. */
  #setBlocked(what: 'connection' | 'datagram' | number, reason: BlockedReason | undefined, now: number): void {
    const before = this.#blocked.get(what)
    if (before === reason) return
    if (reason === undefined) this.#blocked.delete(what)
    else this.#blocked.set(what, reason)
    const [name, id] = typeof what === 'number' ? ['stream', what] : [what, undefined]
    const states = { old: blockedState(before), new: blockedState(reason) }
    this.#event(`${name}_data_blocked_updated`, { ...states, stream_id: id, reason }, now)
  }

  #event(name: string, data: QlogObject, now: number): void {
    this.#record({ time: now - this.#referenceTime, name: `quic:${name}`, data })
  }

  #record(value: QlogObject): void {
    this.#write(`${RECORD_SEPARATOR}${JSON.stringify(value)}\n`)
  }
}

/** The schema and the format stand first: tools look for them in the first 256 bytes. */
function header(options: QlogOptions): QlogObject {
  const reference = { clock_type: 'monotonic', epoch: 'unknown', wall_clock_time: options.wallClock }
  return {
    file_schema: 'urn:ietf:params:qlog:file:sequential',
    serialization_format: 'application/qlog+json-seq',
    title: options.title,
    trace: {
      vantage_point: { type: options.vantagePoint },
      common_fields: { group_id: toHex(options.odcid), time_format: 'relative_to_epoch', reference_time: reference },
      event_schemas: [EVENT_SCHEMA],
    },
  }
}

function packetHeader(level: Level, number: number): QlogObject {
  return { packet_type: packetTypes[level], packet_number: number }
}

function blockedState(reason: BlockedReason | undefined): string {
  return reason === undefined ? 'unblocked' : 'blocked'
}
