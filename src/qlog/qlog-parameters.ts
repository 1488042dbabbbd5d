// Transport parameters and addresses as qlog shows them (draft-ietf-quic-qlog-quic-events, parameters_set).

import { toHex } from '../bytes/hex.ts'
import type { PreferredAddress, TransportParameters } from '../packet/transport-parameters.ts'
import type { QlogObject } from './qlog-frames.ts'
import type { RecordedEndpoint, RecordedTls, Side } from './recorder.ts'

/** Without stateless reset tokens: whoever has one can end the connection. */
export function renderParameters(side: Side, parameters: TransportParameters, tls: RecordedTls): QlogObject {
  return {
    initiator: side,
    ...renderTls(tls),
    original_destination_connection_id: hexOf(parameters.originalDestinationConnectionId),
    initial_source_connection_id: hexOf(parameters.initialSourceConnectionId),
    retry_source_connection_id: hexOf(parameters.retrySourceConnectionId),
    ack_delay_exponent: parameters.ackDelayExponent,
    max_ack_delay: parameters.maxAckDelay,
    min_ack_delay: parameters.minAckDelay,
    ...renderRestored(parameters),
    preferred_address: parameters.preferredAddress && renderPreferred(parameters.preferredAddress),
  }
}

export function renderTls(tls: RecordedTls): QlogObject {
  return {
    resumption_allowed: tls.resumptionAllowed,
    early_data_enabled: tls.earlyDataEnabled,
    tls_cipher: tls.cipher,
  }
}

/** Those that are remembered (RFC 9000 §7.4.1). */
export function renderRestored(parameters: TransportParameters): QlogObject {
  return {
    disable_active_migration: parameters.disableActiveMigration,
    max_idle_timeout: parameters.maxIdleTimeout,
    max_udp_payload_size: parameters.maxUdpPayloadSize,
    active_connection_id_limit: parameters.activeConnectionIdLimit,
    initial_max_data: parameters.initialMaxData,
    initial_max_stream_data_bidi_local: parameters.initialMaxStreamDataBidiLocal,
    initial_max_stream_data_bidi_remote: parameters.initialMaxStreamDataBidiRemote,
    initial_max_stream_data_uni: parameters.initialMaxStreamDataUni,
    initial_max_streams_bidi: parameters.initialMaxStreamsBidi,
    initial_max_streams_uni: parameters.initialMaxStreamsUni,
    max_datagram_frame_size: parameters.maxDatagramFrameSize,
    grease_quic_bit: parameters.greaseQuicBit,
    reset_stream_at: parameters.resetStreamAt,
  }
}

export function renderEndpoint(endpoint: RecordedEndpoint): QlogObject {
  const { host, port } = endpoint
  // Who does not handle sockets does not know.
  const address =
    host === '' ? {} : host.includes(':') ? { ip_v6: host, port_v6: port } : { ip_v4: host, port_v4: port }
  const ids = endpoint.connectionIds?.map(toHex)
  return ids === undefined || ids.length === 0 ? address : { ...address, connection_ids: ids }
}

/** The token is required by the schema: zeros stand for it. */
function renderPreferred(preferred: PreferredAddress): QlogObject {
  return {
    ip_v4: toHex(preferred.ipv4),
    port_v4: preferred.ipv4Port,
    ip_v6: toHex(preferred.ipv6),
    port_v6: preferred.ipv6Port,
    connection_id: toHex(preferred.connectionId),
    stateless_reset_token: '0'.repeat(32),
  }
}

function hexOf(id: Uint8Array | undefined): string | undefined {
  return id && toHex(id)
}
