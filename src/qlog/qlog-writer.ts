// A log of one connection as JSON Text Sequences (draft-ietf-quic-qlog-main-schema, QlogFileSeq; RFC 7464), with the
// events of draft-ietf-quic-qlog-quic-events. No keys, no tokens, no data.

import { toHex } from '../bytes/hex.ts'
import { Level, type Space } from '../packet/level.ts'
import { ErrorCode } from '../packet/transport-error.ts'
import type { TransportParameters } from '../packet/transport-parameters.ts'
import { type QlogObject, renderPayload } from './qlog-frames.ts'
import { keyTypes, packetTypes, spaceName, streamType, transportError, versionText } from './qlog-names.ts'
import { renderEndpoint, renderParameters, renderRestored } from './qlog-parameters.ts'
import type {
  DropCause,
  KeyTrigger,
  LossTrigger,
  MigrationState,
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

  /** `write` gets whole records, separator and line feed included. The header is written at once. */
  constructor(write: (line: string) => void, options: QlogOptions) {
    this.#write = write
    this.#referenceTime = options.referenceTime ?? 0
    this.#record(header(options))
  }

  connectionStarted(local: RecordedEndpoint, remote: RecordedEndpoint, now: number): void {
    this.#event('connection_started', { local: renderEndpoint(local), remote: renderEndpoint(remote) }, now)
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

  packetSent(level: Level, number: number, size: number, payload: RecordedPayload, now: number): void {
    this.#packet('packet_sent', 'local', level, number, size, payload, now)
  }

  packetReceived(level: Level, number: number, size: number, payload: RecordedPayload, now: number): void {
    this.#packet('packet_received', 'remote', level, number, size, payload, now)
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

  packetLost(level: Level, number: number, trigger: LossTrigger, now: number): void {
    this.#event('packet_lost', { header: packetHeader(level, number), trigger }, now)
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

  keyUpdated(level: Level, trigger: KeyTrigger, keyPhase: number | undefined, now: number): void {
    for (const type of keyTypes(level))
      this.#event('key_updated', { key_type: type, key_phase: keyPhase, trigger }, now)
  }

  keyDiscarded(level: Level, now: number): void {
    for (const type of keyTypes(level)) this.#event('key_discarded', { key_type: type }, now)
  }

  streamStateUpdated(id: number, part: 'sending' | 'receiving', state: StreamState, now: number): void {
    const data = { stream_id: id, stream_type: streamType(id), new: state, stream_side: part }
    this.#event('stream_state_updated', data, now)
  }

  #packet(
    name: string,
    sender: Side,
    level: Level,
    number: number,
    size: number,
    payload: RecordedPayload,
    now: number,
  ): void {
    // RFC 9000 §18.2: the exponent is declared during the handshake and applies after it.
    const exponent = level === Level.OneRtt ? this.#ackExponents[sender] : 3
    const frames = renderPayload(payload, level, exponent)
    this.#event(name, { header: packetHeader(level, number), raw: { length: size }, frames }, now)
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

function renderClosed(close: RecordedClose): QlogObject {
  const { by, reason } = close
  if (by === 'idle') return { trigger: 'idle_timeout', reason }
  const initiator = by === 'local' ? 'local' : 'remote'
  if (by === 'reset') return { initiator, trigger: 'stateless_reset', reason }
  if (close.isApplication) {
    const error = { application_error: 'unknown', error_code: close.errorCode }
    return { initiator, ...error, reason, trigger: 'application' }
  }
  const { error, error_code } = transportError(close.errorCode)
  return { initiator, connection_error: error, error_code, reason, trigger: closeTrigger(close.errorCode) }
}

function closeTrigger(code: number): string {
  if (code === ErrorCode.NoError) return 'unspecified'
  return code === ErrorCode.VersionNegotiationError ? 'version_mismatch' : 'error'
}

/** Unlimited (an initial ssthresh) is not a number in JSON: left out. */
function renderMetrics(metrics: RecordedMetrics): QlogObject {
  const named: QlogObject = {
    min_rtt: metrics.minRtt,
    smoothed_rtt: metrics.smoothedRtt,
    latest_rtt: metrics.latestRtt,
    rtt_variance: metrics.rttVariance,
    pto_count: metrics.ptoCount,
    congestion_window: metrics.congestionWindow,
    bytes_in_flight: metrics.bytesInFlight,
    ssthresh: metrics.ssthresh,
    packets_in_flight: metrics.packetsInFlight,
    pacing_rate: metrics.pacingRate,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => Number.isFinite(value)))
}
