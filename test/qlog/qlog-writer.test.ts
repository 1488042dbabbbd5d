import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { writeMaxData } from '../../src/packet/frames/flow-control.ts'
import { type Frame, FrameType } from '../../src/packet/frames/frame.ts'
import { Level, Space } from '../../src/packet/level.ts'
import { SentFrame, SentKind } from '../../src/packet/sent-frame.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { defaultTransportParameters } from '../../src/packet/transport-parameters.ts'
import { EVENT_SCHEMA, QlogWriter, qlogFileName, RECORD_SEPARATOR } from '../../src/qlog/qlog-writer.ts'
import { NoRecorder, type Recorder } from '../../src/qlog/recorder.ts'

interface Event {
  readonly time: number
  readonly name: string
  // biome-ignore lint/suspicious/noExplicitAny: what was logged is looked at freely
  readonly data: any
}

const odcid = Uint8Array.of(0xde, 0xad, 0xbe, 0xef)
const id = Uint8Array.of(1, 2, 3, 4)

function log() {
  const lines: string[] = []
  const writer = new QlogWriter(line => lines.push(line), {
    vantagePoint: 'server',
    odcid,
    title: 'a test',
    referenceTime: 1000,
    wallClock: '2026-11-20T10:00:00.000Z',
  })
  const records = () => lines.map(line => JSON.parse(line.slice(1)))
  const events = (): Event[] => records().slice(1)
  return { lines, writer, records, events, last: () => events().at(-1) as Event }
}

describe('RFC 7464, JSON Text Sequences', () => {
  test('every record begins with 0x1e and ends with a line feed', () => {
    const { lines, writer } = log()
    writer.connectionClosed({ errorCode: 1, isApplication: true, reason: 'two\nlines \u001e', by: 'peer' }, 1001)
    expect(RECORD_SEPARATOR.charCodeAt(0)).toBe(0x1e)
    expect(lines.length).toBe(2)
    for (const line of lines) {
      expect(line.startsWith('\u001e')).toBe(true)
      expect(line.endsWith('}\n')).toBe(true)
      // Neither occurs inside: JSON escapes both.
      expect(line.lastIndexOf('\u001e')).toBe(0)
      expect(line.indexOf('\n')).toBe(line.length - 1)
    }
  })

  test('the extension is .sqlog', () => {
    expect(qlogFileName({ odcid, vantagePoint: 'client' })).toBe('deadbeef_client.sqlog')
  })
})

describe('QlogFileSeq', () => {
  test('the first record is the header', () => {
    expect(log().records()[0]).toEqual({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title: 'a test',
      trace: {
        vantage_point: { type: 'server' },
        common_fields: {
          group_id: 'deadbeef',
          time_format: 'relative_to_epoch',
          reference_time: { clock_type: 'monotonic', epoch: 'unknown', wall_clock_time: '2026-11-20T10:00:00.000Z' },
        },
        event_schemas: [EVENT_SCHEMA],
      },
    })
  })

  test('schema and format stand in the first 256 bytes', () => {
    const start = log().lines[0]?.slice(0, 256)
    expect(start).toContain('"file_schema"')
    expect(start).toContain('"serialization_format":"application/qlog+json-seq"')
  })

  test('title and wall clock may be left out', () => {
    const lines: string[] = []
    new QlogWriter(line => lines.push(line), { vantagePoint: 'client', odcid }).packetDropped(1, 'invalid', 5)
    const records = lines.map(line => JSON.parse(line.slice(1)))
    expect(records[0]).not.toHaveProperty('title')
    expect(records[0].trace.common_fields.reference_time).toEqual({ clock_type: 'monotonic', epoch: 'unknown' })
    expect(records[1].time).toBe(5)
  })
})

/** Every event once, and the fields of its data that the draft does not mark optional. */
const everyEvent: Record<string, { emit: (recorder: Recorder) => void; required: readonly string[] }> = {
  'quic:connection_started': {
    emit: r => r.connectionStarted({ host: '::1', port: 1, connectionIds: [id] }, { host: '10.0.0.1', port: 2 }, 1001),
    required: ['local', 'remote'],
  },
  'quic:server_listening': { emit: r => r.serverListening({ host: '::1', port: 443 }, 1001), required: [] },
  'quic:tuple_assigned': { emit: r => r.tupleAssigned({ host: '::1', port: 443 }, 1001), required: ['tuple_id'] },
  'quic:udp_datagrams_sent': { emit: r => r.datagramSent(1200, 1001), required: [] },
  'quic:udp_datagrams_received': { emit: r => r.datagramReceived(1200, 1001), required: [] },
  'quic:udp_datagram_dropped': { emit: r => r.datagramDropped(1200, 1001), required: [] },
  'quic:marked_for_retransmit': {
    emit: r => r.markedForRetransmit([new SentFrame(SentKind.Crypto, 0, 5, 9), new SentFrame(SentKind.Ack)], 1001),
    required: ['frames'],
  },
  'quic:stream_data_moved': {
    emit: r => r.streamDataMoved(4, 9, true, 'application', 'transport', 1001),
    required: [],
  },
  'quic:datagram_data_moved': { emit: r => r.datagramDataMoved(9, 'transport', 'application', 1001), required: [] },
  'quic:connection_data_blocked_updated': {
    emit: r => r.dataBlockedUpdated('connection', 'pacing', 1001),
    required: ['new'],
  },
  'quic:connection_state_updated': { emit: r => r.connectionStateUpdated('attempted', 1001), required: ['new'] },
  'quic:connection_id_updated': {
    emit: r => r.connectionIdUpdated('remote', undefined, id, 1001),
    required: ['initiator'],
  },
  'quic:connection_closed': {
    emit: r => r.connectionClosed({ errorCode: 0, isApplication: false, reason: '', by: 'local' }, 1001),
    required: [],
  },
  'quic:version_information': { emit: r => r.versionInformation({ client: [1], chosen: 1 }, 1001), required: [] },
  'quic:alpn_information': { emit: r => r.alpnInformation({ server: ['h3'], chosen: 'h3' }, 1001), required: [] },
  'quic:parameters_set': {
    emit: r => r.parametersSet('remote', defaultTransportParameters, { cipher: 'AES_128_GCM_SHA256' }, 1001),
    required: [],
  },
  'quic:parameters_restored': { emit: r => r.parametersRestored(defaultTransportParameters, 1001), required: [] },
  'quic:packet_sent': {
    emit: r => r.packetSent(Level.Initial, 0, 1200, [{ type: FrameType.Ping }], undefined, 1001),
    required: ['header'],
  },
  'quic:packet_received': { emit: r => r.packetReceived(Level.OneRtt, 7, 40, [], 1001), required: ['header'] },
  'quic:packet_dropped': { emit: r => r.packetDropped(40, 'duplicate', 1001), required: [] },
  'quic:packet_buffered': { emit: r => r.packetBuffered(Level.ZeroRtt, 40, 1001), required: [] },
  'quic:packets_acked': { emit: r => r.packetsAcked(Space.Application, [1, 2], 1001), required: [] },
  'quic:packet_lost': { emit: r => r.packetLost(Level.OneRtt, 3, 'time_threshold', false, 1001), required: [] },
  'quic:recovery_parameters_set': {
    emit: r => r.recoveryParametersSet({ timerGranularity: 1, initialRtt: 333 }, 1001),
    required: ['timer_granularity'],
  },
  'quic:recovery_metrics_updated': { emit: r => r.metricsUpdated({ minRtt: 3 }, 1001), required: [] },
  'quic:congestion_state_updated': {
    emit: r => r.congestionStateUpdated('slow_start', undefined, 1001),
    required: ['new'],
  },
  'quic:timer_updated': {
    emit: r => r.timerUpdated('pto', Space.Initial, 1100, 1001),
    required: ['event_type'],
  },
  'quic:mtu_updated': { emit: r => r.mtuUpdated(1200, 1452, true, 1001), required: ['new'] },
  'quic:migration_state_updated': { emit: r => r.migrationStateUpdated('probing_started', 1001), required: ['new'] },
  'quic:key_updated': { emit: r => r.keyUpdated(Level.OneRtt, 'both', 'tls', 0, 1001), required: ['key_type'] },
  'quic:key_discarded': { emit: r => r.keyDiscarded(Level.Initial, 1001), required: ['key_type'] },
  'quic:stream_state_updated': {
    emit: r => r.streamStateUpdated(2, 'sending', 'open', 1001),
    required: ['stream_id', 'new', 'stream_side'],
  },
}

describe('draft-ietf-quic-qlog-quic-events', () => {
  test.each(Object.entries(everyEvent))('%s has time, name and what its data must have', (name, { emit, required }) => {
    const { writer, events } = log()
    emit(writer)
    expect(events().length).toBeGreaterThan(0)
    for (const event of events()) {
      expect(event.name).toBe(name)
      expect(event.time).toBe(1)
      expect(typeof event.data).toBe('object')
      for (const field of required) expect(event.data).toHaveProperty(field)
      expect(namesOf(event).filter(field => field !== field.toLowerCase())).toEqual([])
    }
  })

  test('every method of a recorder is among them, and the null object has them all', () => {
    const methods = Object.getOwnPropertyNames(QlogWriter.prototype).filter(method => method !== 'constructor')
    const other = ['timerExpired', 'tlsSet', 'unprotectedPacket']
    expect(methods.length - other.length).toBe(Object.keys(everyEvent).length)
    expect(
      Object.keys(NoRecorder)
        .filter(method => method !== 'enabled')
        .sort(),
    ).toEqual(methods.sort())
    expect(NoRecorder.enabled).toBe(false)
    for (const { emit } of Object.values(everyEvent)) expect(emit(NoRecorder)).toBeUndefined()
  })
})

describe('events', () => {
  test('packets: type, number, size, frames', () => {
    const { writer, last } = log()
    writer.packetSent(Level.Handshake, 4, 900, [{ type: FrameType.Ping }], undefined, 1002.5)
    expect(last()).toEqual({
      time: 2.5,
      name: 'quic:packet_sent',
      data: {
        header: { packet_type: 'handshake', packet_number: 4 },
        raw: { length: 900 },
        frames: [{ frame_type: 'ping' }],
      },
    })
  })

  test('a plaintext is read when it is logged', () => {
    const { writer, last } = log()
    const w = Writer.allocate(64)
    writeMaxData(w, 5000)
    w.u8(0x01)
    w.zeros(3)
    writer.packetReceived(Level.OneRtt, 1, 40, w.finish(), 1001)
    expect(last().data.frames).toEqual([
      { frame_type: 'max_data', maximum: 5000 },
      { frame_type: 'ping' },
      { frame_type: 'padding', raw: { payload_length: 3 } },
    ])
  })

  test('a malformed plaintext is logged as far as it goes', () => {
    const { writer, last } = log()
    writer.packetReceived(Level.OneRtt, 1, 40, Uint8Array.of(0x01, 0x10), 1001)
    expect(last().data.frames).toEqual([{ frame_type: 'ping' }, { frame_type: 'unknown', frame_type_bytes: 0x10 }])
    writer.packetReceived(Level.OneRtt, 1, 40, Uint8Array.of(0x3f), 1001)
    expect(last().data.frames).toEqual([{ frame_type: 'unknown', frame_type_bytes: 0x3f }])
  })

  test('RFC 9000 §19.3: the delay of an ACK is scaled by the exponent of its sender, after the handshake', () => {
    const { writer, last } = log()
    const ack: Frame = { type: FrameType.Ack, largestAcknowledged: 9, ackDelay: 1000, ranges: [9, 9], ecn: undefined }
    const delay = () => last().data.frames[0].ack_delay
    writer.parametersSet('remote', { ...defaultTransportParameters, ackDelayExponent: 10 }, {}, 1001)
    writer.packetReceived(Level.OneRtt, 1, 40, [ack], 1002)
    expect(delay()).toBe(1024)
    writer.packetReceived(Level.Handshake, 1, 40, [ack], 1002)
    expect(delay()).toBe(8)
    writer.packetSent(Level.OneRtt, 1, 40, [ack], undefined, 1002)
    expect(delay()).toBe(8)
  })

  test('endpoints by family, with their connection ids', () => {
    const { writer, last } = log()
    writer.connectionStarted({ host: '::1', port: 443, connectionIds: [id] }, { host: '10.0.0.1', port: 5 }, 1001)
    expect(last().data).toEqual({
      local: { ip_v6: '::1', port_v6: 443, connection_ids: ['01020304'] },
      remote: { ip_v4: '10.0.0.1', port_v4: 5 },
    })
  })

  test('the closing of a connection', () => {
    const { writer, last } = log()
    const closed = (errorCode: number, isApplication: boolean, by: 'local' | 'peer' | 'idle' | 'reset') => {
      writer.connectionClosed({ errorCode, isApplication, reason: 'why', by }, 1001)
      return last().data
    }
    expect(closed(ErrorCode.FlowControlError, false, 'local')).toEqual({
      initiator: 'local',
      connection_error: 'flow_control_error',
      reason: 'why',
      trigger: 'error',
    })
    expect(closed(0x0100 + 40, false, 'peer')).toMatchObject({
      initiator: 'remote',
      connection_error: 'crypto_error_0x128',
      trigger: 'error',
    })
    expect(closed(0x4242, false, 'peer')).toMatchObject({ connection_error: 'unknown', error_code: 0x4242 })
    expect(closed(0x100, true, 'peer')).toMatchObject({
      application_error: 'unknown',
      error_code: 0x100,
      trigger: 'application',
    })
    expect(closed(0, false, 'idle')).toEqual({ reason: 'why', trigger: 'idle_timeout' })
    expect(closed(0, false, 'reset')).toMatchObject({ initiator: 'remote', trigger: 'stateless_reset' })
    expect(closed(0, false, 'local')).toMatchObject({ connection_error: 'no_error', trigger: 'unspecified' })
    expect(closed(ErrorCode.VersionNegotiationError, false, 'local')).toMatchObject({ trigger: 'version_mismatch' })
  })

  test('states name what they follow, and are not repeated', () => {
    const { writer, events } = log()
    writer.connectionStateUpdated('attempted', 1001)
    writer.connectionStateUpdated('attempted', 1002)
    writer.connectionStateUpdated('handshake_complete', 1003)
    writer.congestionStateUpdated('slow_start', undefined, 1004)
    writer.congestionStateUpdated('slow_start', undefined, 1005)
    writer.congestionStateUpdated('recovery', 'loss', 1006)
    writer.migrationStateUpdated('probing_started', 1007)
    writer.migrationStateUpdated('probing_successful', 1008)
    expect(events().map(event => event.data)).toEqual([
      { new: 'attempted' },
      { old: 'attempted', new: 'handshake_complete' },
      { new: 'slow_start' },
      { old: 'slow_start', new: 'recovery', trigger: 'loss' },
      { new: 'probing_started' },
      { old: 'probing_started', new: 'probing_successful' },
    ])
  })

  test('metrics: what changed, and no infinities', () => {
    const { writer, events } = log()
    writer.metricsUpdated({ minRtt: 3, latestRtt: 4, ssthresh: Number.POSITIVE_INFINITY }, 1001)
    writer.metricsUpdated({ minRtt: 3, latestRtt: 4 }, 1002)
    writer.metricsUpdated({ minRtt: 3, latestRtt: 5, ssthresh: 9000 }, 1003)
    expect(events().map(event => event.data)).toEqual([
      { min_rtt: 3, latest_rtt: 4 },
      { latest_rtt: 5, ssthresh: 9000 },
    ])
  })

  test('timers: set, cancelled, expired', () => {
    const { writer, events } = log()
    writer.timerUpdated('pto', Space.Handshake, 1101, 1001)
    writer.timerUpdated('idle_timeout', undefined, Number.POSITIVE_INFINITY, 1002)
    writer.timerUpdated('ack', Space.Application, 900, 1003)
    writer.timerExpired('pto', Space.Handshake, 1101)
    expect(events().map(event => event.data)).toEqual([
      { timer_type: 'pto', packet_number_space: 'handshake', event_type: 'set', delta: 100 },
      { timer_type: 'idle_timeout', event_type: 'cancelled' },
      { timer_type: 'ack', packet_number_space: 'application_data', event_type: 'set', delta: 0 },
      { timer_type: 'pto', packet_number_space: 'handshake', event_type: 'expired' },
    ])
  })

  test('keys: both directions, one for 0-RTT, never the secret', () => {
    const { writer, events } = log()
    for (const level of [Level.Initial, Level.ZeroRtt, Level.Handshake])
      writer.keyUpdated(level, 'both', 'tls', undefined, 1001)
    writer.keyUpdated(Level.OneRtt, 'both', 'remote_update', 3, 1001)
    expect(events().map(event => event.data.key_type)).toEqual([
      'client_initial_secret',
      'server_initial_secret',
      'client_0rtt_secret',
      'client_handshake_secret',
      'server_handshake_secret',
      'client_1rtt_secret',
      'server_1rtt_secret',
    ])
    expect(events().at(-1)?.data).toMatchObject({ key_phase: 3, trigger: 'remote_update' })
    for (const { data } of events()) expect(data).not.toHaveProperty('new')
  })

  test('parameters, without the reset token', () => {
    const { writer, lines, last } = log()
    const token = new Uint8Array(16).fill(0xab)
    const preferred = { ipv4: new Uint8Array(4), ipv4Port: 1, ipv6: new Uint8Array(16), ipv6Port: 2 }
    const parameters = {
      ...defaultTransportParameters,
      initialMaxData: 77,
      originalDestinationConnectionId: id,
      statelessResetToken: token,
      preferredAddress: { ...preferred, connectionId: id, statelessResetToken: token },
    }
    writer.parametersSet('local', parameters, { cipher: 'TLS_AES_128_GCM_SHA256', earlyDataEnabled: true }, 1001)
    expect(last().data).toMatchObject({
      initiator: 'local',
      tls_cipher: 'TLS_AES_128_GCM_SHA256',
      early_data_enabled: true,
      original_destination_connection_id: '01020304',
      initial_max_data: 77,
      max_ack_delay: 25,
      preferred_address: { port_v4: 1, port_v6: 2, connection_id: '01020304' },
    })
    writer.parametersRestored(parameters, 1002)
    expect(last().data).not.toHaveProperty('max_ack_delay')
    expect(last().data.initial_max_data).toBe(77)
    expect(lines.join('')).not.toContain('abab')
  })

  test('versions and protocols', () => {
    const { writer, events } = log()
    writer.versionInformation({ server: [1, 0x6b3343cf], client: [0x1a2a3a4a] }, 1001)
    writer.alpnInformation({ client: ['h3', 'hq-interop'] }, 1002)
    expect(events().map(event => event.data)).toEqual([
      { server_versions: ['00000001', '6b3343cf'], client_versions: ['1a2a3a4a'] },
      { client_alpns: [{ string_value: 'h3' }, { string_value: 'hq-interop' }] },
    ])
  })

  test('acknowledging nothing is no event', () => {
    const { writer, events } = log()
    writer.packetsAcked(Space.Initial, [], 1001)
    expect(events()).toEqual([])
  })
})

/** Names of all fields, at any depth: lowercase when serialized to JSON. */
function namesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [...(Array.isArray(value) ? [] : [name]), ...namesOf(inner)])
}
