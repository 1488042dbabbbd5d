// The CDDL of draft-ietf-quic-qlog-quic-events, as far as our logs use it, and a checker for it. Written down from the
// draft and not from the writer: `name: type`, with `?` after a name that may be missing.

type Shape = string

const words: Record<string, readonly string[]> = {
  Side: ['local', 'remote'],
  Place: ['application', 'transport', 'network'],
  Blocked: ['blocked', 'unblocked'],
  Reason: [
    'scheduling pacing amplification_protection congestion_control connection_flow_control stream_flow_control',
    'stream_id application',
  ].flatMap(line => line.split(' ')),
  PacketType: 'initial handshake 0RTT 1RTT retry version_negotiation stateless_reset unknown'.split(' '),
  Space: ['initial', 'handshake', 'application_data'],
  ConnectionState: [
    'attempted handshake_started handshake_complete closed peer_validated early_write handshake_confirmed closing',
    'draining',
  ].flatMap(line => line.split(' ')),
  StreamState: ['idle', 'open', 'closed'],
  StreamSide: ['sending', 'receiving'],
  StreamType: ['unidirectional', 'bidirectional'],
  DropTrigger: [
    'internal_error rejected unsupported invalid duplicate connection_unknown decryption_failure key_unavailable',
    'general',
  ].flatMap(line => line.split(' ')),
  SentTrigger: 'retransmit_reordered retransmit_timeout pto_probe retransmit_crypto cc_bandwidth_probe'.split(' '),
  LossTrigger: ['reordering_threshold', 'time_threshold', 'pto_expired'],
  BufferTrigger: ['backpressure', 'keys_unavailable'],
  CloseTrigger: 'idle_timeout application error version_mismatch stateless_reset aborted unspecified'.split(' '),
  KeyTrigger: ['tls', 'remote_update', 'local_update'],
  KeyType: ['client', 'server'].flatMap(side =>
    ['initial', 'handshake', '0rtt', '1rtt'].map(of => `${side}_${of}_secret`),
  ),
  TimerType: 'ack pto loss_timeout path_validation handshake_timeout idle_timeout'.split(' '),
  TimerEvent: ['set', 'expired', 'cancelled'],
  Migration: [
    'probing_started probing_abandoned probing_successful migration_started migration_abandoned migration_complete',
  ].flatMap(line => line.split(' ')),
  MovedInfo: ['fin_set', 'stream_reset'],
  ErrorSpace: ['transport', 'application'],
}

/** Objects inside of events. */
const shapes: Record<string, Shape> = {
  Raw: 'length?: uint, payload_length?: uint, data?: hex',
  Endpoint: 'ip_v4?: text, port_v4?: uint, ip_v6?: text, port_v6?: uint, connection_ids?: hex+',
  Header: 'packet_type: PacketType, packet_number?: uint, token?: Token, version?: hex, scid?: hex, dcid?: hex',
  Token: 'type?: text, raw?: Raw',
  Alpn: 'byte_value?: hex, string_value?: text',
  Preferred:
    'ip_v4?: text, port_v4?: uint, ip_v6?: text, port_v6?: uint, connection_id: hex, stateless_reset_token: hex',
}

const parameters =
  'disable_active_migration?: bool, max_idle_timeout?: uint, max_udp_payload_size?: uint, ' +
  'active_connection_id_limit?: uint, initial_max_data?: uint, initial_max_stream_data_bidi_local?: uint, ' +
  'initial_max_stream_data_bidi_remote?: uint, initial_max_stream_data_uni?: uint, initial_max_streams_bidi?: uint, ' +
  'initial_max_streams_uni?: uint, max_datagram_frame_size?: uint, grease_quic_bit?: bool, ' +
  'reset_stream_at?: bool'

const events: Record<string, Shape> = {
  server_listening: 'ip_v4?: text, port_v4?: uint, ip_v6?: text, port_v6?: uint, retry_required?: bool',
  connection_started: 'local: Endpoint, remote: Endpoint',
  connection_closed:
    'initiator?: Side, connection_error?: text, application_error?: text, error_code?: uint, internal_code?: uint, ' +
    'reason?: text, trigger?: CloseTrigger',
  connection_id_updated: 'initiator: Side, old?: hex, new?: hex',
  connection_state_updated: 'old?: ConnectionState, new: ConnectionState',
  tuple_assigned: 'tuple_id: text, tuple_remote?: Endpoint, tuple_local?: Endpoint',
  mtu_updated: 'old?: uint, new: uint, done?: bool',
  version_information: 'server_versions?: hex+, client_versions?: hex+, chosen_version?: hex',
  alpn_information: 'server_alpns?: Alpn*, client_alpns?: Alpn*, chosen_alpn?: Alpn',
  parameters_set:
    'initiator?: Side, resumption_allowed?: bool, early_data_enabled?: bool, tls_cipher?: text, ' +
    'original_destination_connection_id?: hex, initial_source_connection_id?: hex, ' +
    'retry_source_connection_id?: hex, stateless_reset_token?: hex, ack_delay_exponent?: uint, ' +
    // Of an extension: draft-ietf-quic-ack-frequency.
    `max_ack_delay?: uint, min_ack_delay?: uint, preferred_address?: Preferred, ${parameters}`,
  parameters_restored: parameters,
  packet_sent:
    'header: Header, frames?: Frame*, stateless_reset_token?: hex, supported_versions?: hex+, raw?: Raw, ' +
    'is_mtu_probe_packet?: bool, trigger?: SentTrigger',
  packet_received:
    'header: Header, frames?: Frame*, stateless_reset_token?: hex, supported_versions?: hex+, raw?: Raw, trigger?: text',
  packet_dropped: 'header?: Header, raw?: Raw, trigger?: DropTrigger',
  packet_buffered: 'header?: Header, raw?: Raw, trigger?: BufferTrigger',
  packets_acked: 'packet_number_space?: Space, packet_numbers?: uint+',
  udp_datagrams_sent: 'count?: uint, raw?: Raw+',
  udp_datagrams_received: 'count?: uint, raw?: Raw+',
  udp_datagram_dropped: 'raw?: Raw',
  stream_state_updated:
    'stream_id: uint, stream_type?: StreamType, old?: StreamState, new: StreamState, stream_side: StreamSide',
  stream_data_moved:
    'stream_id?: uint, offset?: uint, from?: Place, to?: Place, additional_info?: MovedInfo, raw?: Raw',
  datagram_data_moved: 'from?: Place, to?: Place, raw?: Raw',
  connection_data_blocked_updated: 'old?: Blocked, new: Blocked, reason?: Reason',
  stream_data_blocked_updated: 'old?: Blocked, new: Blocked, stream_id: uint, reason?: Reason',
  datagram_data_blocked_updated: 'old?: Blocked, new: Blocked, reason?: Reason',
  migration_state_updated:
    'old?: Migration, new: Migration, tuple_id?: text, tuple_remote?: Endpoint, tuple_local?: Endpoint',
  timer_updated: 'timer_type?: TimerType, packet_number_space?: Space, event_type: TimerEvent, delta?: num',
  key_updated: 'key_type: KeyType, old?: hex, new?: hex, key_phase?: uint, trigger?: KeyTrigger',
  key_discarded: 'key_type: KeyType, key?: hex, key_phase?: uint, trigger?: KeyTrigger',
  recovery_parameters_set:
    'reordering_threshold?: uint, time_threshold?: num, timer_granularity: uint, initial_rtt?: num, ' +
    'max_datagram_size?: uint, initial_congestion_window?: uint, minimum_congestion_window?: uint, ' +
    'loss_reduction_factor?: num, persistent_congestion_threshold?: uint',
  recovery_metrics_updated:
    'min_rtt?: num, smoothed_rtt?: num, latest_rtt?: num, rtt_variance?: num, pto_count?: uint, ' +
    'congestion_window?: num, bytes_in_flight?: uint, ssthresh?: num, packets_in_flight?: uint, pacing_rate?: uint',
  congestion_state_updated: 'old?: text, new: text, trigger?: text',
  packet_lost: 'header?: Header, frames?: Frame*, is_mtu_probe_packet?: bool, trigger?: LossTrigger',
  marked_for_retransmit: 'frames: Frame+',
}

const frames: Record<string, Shape> = {
  padding: '',
  ping: '',
  ack: 'ack_delay?: num, acked_ranges?: range+, ect0?: uint, ect1?: uint, ce?: uint',
  reset_stream: 'stream_id: uint, error: text, error_code?: uint, final_size: uint',
  stop_sending: 'stream_id: uint, error: text, error_code?: uint',
  crypto: 'offset: uint',
  new_token: 'token: Token',
  stream: 'stream_id: uint, offset?: uint, fin?: bool',
  max_data: 'maximum: uint',
  max_stream_data: 'stream_id: uint, maximum: uint',
  max_streams: 'stream_type: StreamType, maximum: uint',
  data_blocked: 'limit: uint',
  stream_data_blocked: 'stream_id: uint, limit: uint',
  streams_blocked: 'stream_type: StreamType, limit: uint',
  new_connection_id: 'sequence_number: uint, retire_prior_to: uint, connection_id_length?: uint, connection_id: hex',
  retire_connection_id: 'sequence_number: uint',
  path_challenge: 'data?: hex',
  path_response: 'data?: hex',
  connection_close:
    'error_space?: ErrorSpace, error?: text, error_code?: uint, reason?: text, trigger_frame_type?: uint',
  handshake_done: '',
  unknown: 'frame_type_bytes: uint',
  datagram: '',
  // Of an extension: draft-ietf-quic-ack-frequency.
  immediate_ack: '',
  ack_frequency:
    'sequence_number: uint, ack_eliciting_threshold: uint, requested_max_ack_delay: uint, reordering_threshold: uint',
}

export interface LoggedEvent {
  readonly time: number
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: what was logged is looked at freely
  readonly data: any
}

/** Names of all event classes of the draft that are written down here. */
export const eventNames: readonly string[] = Object.keys(events)

/** What is wrong with an event; nothing when it keeps to the schema. */
export function faultsOf(event: LoggedEvent): string[] {
  const name = event.name.replace(/^quic:/, '')
  const shape = events[name]
  if (shape === undefined || !event.name.startsWith('quic:')) return [`no event ${event.name}`]
  if (typeof event.time !== 'number') return [`${name}: time`]
  return checkObject(event.data, shape, name)
}

function checkObject(value: unknown, shape: Shape, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [`${at}: not an object`]
  const members = new Map(
    shape
      .split(', ')
      .filter(Boolean)
      .map(member => member.split(': ') as [string, string]),
  )
  const faults = Object.keys(value)
    .filter(key => !members.has(key) && !members.has(`${key}?`))
    .map(key => `${at}.${key} is not in the schema`)
  for (const [name, type] of members) {
    const key = name.replace('?', '')
    const member = (value as Record<string, unknown>)[key]
    if (member !== undefined) faults.push(...checkType(member, type, `${at}.${key}`))
    else if (key === name) faults.push(`${at}.${key} is missing`)
  }
  return faults
}

function checkType(value: unknown, type: string, at: string): string[] {
  if (/[*+]$/.test(type)) {
    if (!Array.isArray(value)) return [`${at}: not a list`]
    if (type.endsWith('+') && value.length === 0) return [`${at} is empty`]
    return value.flatMap((item, i) => checkType(item, type.slice(0, -1), `${at}[${i}]`))
  }
  if (type === 'Frame') return checkFrame(value, at)
  if (words[type]) return words[type].includes(value as string) ? [] : [`${at}: ${value} is no ${type}`]
  if (shapes[type] !== undefined) return checkObject(value, shapes[type], at)
  return isBasic(value, type) ? [] : [`${at}: ${JSON.stringify(value)} is no ${type}`]
}

function checkFrame(value: unknown, at: string): string[] {
  const type = (value as { frame_type?: string }).frame_type ?? ''
  const shape = frames[type]
  if (shape === undefined) return [`${at}: no frame '${type}'`]
  return checkObject(value, ['frame_type: text', 'raw?: Raw', shape].filter(Boolean).join(', '), `${at} ${type}`)
}

function isBasic(value: unknown, type: string): boolean {
  switch (type) {
    case 'uint':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'num':
      return typeof value === 'number' && Number.isFinite(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'text':
      return typeof value === 'string'
    case 'hex':
      return typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value)
    case 'range':
      return Array.isArray(value) && value.length > 0 && value.length <= 2 && value.every(each => isBasic(each, 'uint'))
    default:
      throw new Error(`the schema has no type ${type}`)
  }
}
