// RFC 9000 §7, §18: what a peer declares of itself, and CRYPTO data.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import type { TransportParameters } from '../../../src/packet/transport-parameters.ts'
import { offeredPsk } from '../../../src/zero-rtt/resumption.ts'
import { provisioned } from '../../connection/early.ts'
import { testTime } from '../../support/certificates.ts'
import { bytes, concat, MAX_VARINT, parameter, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, type PeerOptions, peerOf, RETRY_ID } from '../hand-made-peer.ts'

const { CryptoBufferExceeded, ProtocolViolation, TransportParameterError } = ErrorCode
const ping = bytes(FrameType.Ping)

/** `added` behind what the peer declares anyway, which `changes` changes. */
function plus(added: Uint8Array, changes: Partial<TransportParameters> = {}): PeerOptions {
  return { rawParameters: encoded => concat(encoded, added), parameters: changes }
}

const noBidi = { initialMaxStreamsBidi: 0 }
const noUni = { initialMaxStreamsUni: 0 }
const invalid: [title: string, options: PeerOptions][] = [
  ['RFC 9000 §7.4: a parameter that comes twice', plus(concat(parameter(0x01, 5), parameter(0x01, 5)))],
  ['RFC 9000 §7.4: a parameter that is cut off', plus(bytes(0x01, 4, 0))],
  ['RFC 9000 §7.4: a value with bytes left over', plus(parameter(0x01, 5, 5))],
  ['RFC 9000 §7.4: a number without bytes', plus(parameter(0x01))],
  ['RFC 9000 §7.3: no initial_source_connection_id', { parameters: { initialSourceConnectionId: undefined } }],
  ['RFC 9000 §7.3: another initial_source_connection_id', { parameters: { initialSourceConnectionId: zeros(8) } }],
  ['RFC 9000 §4.6: initial_max_streams_bidi above 2^60', plus(parameter(0x08, 2n ** 60n + 1n), noBidi)],
  ['RFC 9000 §4.6: initial_max_streams_uni above 2^60', plus(parameter(0x09, MAX_VARINT), noUni)],
  ['RFC 9000 §18.2: max_udp_payload_size of 1199', plus(parameter(0x03, 1199))],
  ['RFC 9000 §18.2: ack_delay_exponent of 21', plus(parameter(0x0a, 21))],
  ['RFC 9000 §18.2: max_ack_delay of 2^14', plus(parameter(0x0b, 2 ** 14))],
  ['RFC 9000 §18.2: active_connection_id_limit of 1', plus(parameter(0x0e, 1))],
  ['RFC 9000 §18.2: disable_active_migration with a value', plus(parameter(0x0c, 1))],
  ['RFC 9000 §18.2: an id of 21 bytes', { parameters: { initialSourceConnectionId: zeros(21) } }],
]

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test.each(invalid)('%s', (_, options) => {
    peerOf(role, options).reach('complete').expectClose(TransportParameterError)
  })

  test('RFC 9000 §7.4.2: parameters that are not known are ignored, and so are reserved ones', () => {
    const unknown = concat(parameter(0x2ab3, 1, 2, 3), parameter(27), parameter(58, zeros(200)), parameter(58))
    const peer = peerOf(role, plus(unknown)).reach('confirmed')
    peer.expectOpen()
    expect(peer.connection.isHandshakeComplete).toBe(true)
  })

  test('RFC 9000 §18.2: extreme values that are allowed', () => {
    const extreme = concat(
      parameter(0x01, MAX_VARINT),
      parameter(0x03, 1200),
      parameter(0x0a, 20),
      parameter(0x0b, 2 ** 14 - 1),
      parameter(0x0e, MAX_VARINT),
      parameter(0x08, 2n ** 60n),
      parameter(0x04, MAX_VARINT),
    )
    const peer = peerOf(role, plus(extreme, { ...noBidi, initialMaxData: 0 })).reach('confirmed')
    peer.expectOpen()
    expect(peer.connection.isHandshakeComplete).toBe(true)
  })

  test('RFC 9000 §7.5: 4,096 bytes of CRYPTO out of order are kept', () => {
    const frame = bytes(FrameType.Crypto, 1, 4095, zeros(4095))
    peerOf(role).reach('handshake').send(Level.Handshake, frame).expectOpen()
  })

  test.each([
    [Level.Initial, 'initial'],
    [Level.Handshake, 'handshake'],
    [Level.OneRtt, 'confirmed'],
  ] as const)('RFC 9000 §7.5: CRYPTO beyond what is buffered (level %d)', (level, stage) => {
    const peer = peerOf(role).reach(stage)
    peer.send(level, bytes(FrameType.Crypto, 70_000, 1, zeros(1))).expectClose(CryptoBufferExceeded)
  })

  test('RFC 9000 §7.2: the id of the first Initial is where everything goes', () => {
    const peer = peerOf(role).reach('confirmed').send(Level.OneRtt, ping).pass(100)
    // What a client said before it had heard of us.
    const answers = peer.heard.slice(role === 'client' ? 1 : 0)
    expect(answers.length).toBeGreaterThan(2)
    for (const packet of answers) expect(packet.destination).toEqual(peer.id)
  })

  test('RFC 9000 §7.2: a packet with another source id than the first one is dropped', () => {
    const peer = peerOf(role).reach('handshake')
    for (const level of [Level.Initial, Level.Handshake]) {
      peer.expectDropped(() => peer.send(level, ping, { source: zeros(8) }))
    }
  })
})

describe('a connection of a server', () => {
  const ofServers: [title: string, parameters: Partial<TransportParameters>][] = [
    ['RFC 9000 §18.2: original_destination_connection_id from a client', { originalDestinationConnectionId: zeros(8) }],
    ['RFC 9000 §18.2: stateless_reset_token from a client', { statelessResetToken: zeros(16) }],
    ['RFC 9000 §18.2: retry_source_connection_id from a client', { retrySourceConnectionId: zeros(8) }],
    ['RFC 9000 §18.2: preferred_address from a client', { preferredAddress: preferred(zeros(8)) }],
  ]
  test.each(ofServers)('%s', (_, parameters) => {
    new HandMadeClient({ parameters }).reach('handshake').expectClose(TransportParameterError)
  })

  test('RFC 9000 §7.4.1: early data is rejected when what the client remembers is no longer granted', () => {
    const { resumption, server } = provisioned({ initialMaxData: 1000 })
    const psk = offeredPsk(resumption, testTime, true)
    const peer = new HandMadeClient({ server: { ...server, transport: { initialMaxData: 999 } }, psk })
    const early = peer.speak(Level.Initial).send(Level.ZeroRtt, bytes(FrameType.Stream, 0, zeros(10)))
    early.reach('complete')
    expect(peer.connection.isHandshakeComplete).toBe(true)
    expect(peer.connection.peer).toMatchObject({ earlyData: 'rejected', isResumed: true })
    expect(peer.has('streamOpened')).toBe(false)
  })
})

describe('a connection of a client', () => {
  const wrong: [title: string, parameters: Partial<TransportParameters>, hasRetry?: boolean][] = [
    [
      'RFC 9000 §7.3: no original_destination_connection_id from the server',
      { originalDestinationConnectionId: undefined },
    ],
    ['RFC 9000 §7.3: another original_destination_connection_id', { originalDestinationConnectionId: zeros(8) }],
    ['RFC 9000 §7.3: retry_source_connection_id without a Retry', { retrySourceConnectionId: RETRY_ID }],
    ['RFC 9000 §7.3: no retry_source_connection_id after a Retry', {}, true],
    ['RFC 9000 §7.3: another retry_source_connection_id', { retrySourceConnectionId: zeros(8) }, true],
    ['RFC 9000 §7.3: the id of the Retry as original destination', { originalDestinationConnectionId: RETRY_ID }, true],
    ['RFC 9000 §18.2: stateless_reset_token of 15 bytes', { statelessResetToken: zeros(15) }],
    ['RFC 9000 §18.2: preferred_address with an id of no bytes', { preferredAddress: preferred(zeros(0)) }],
    ['RFC 9000 §18.2: preferred_address with an id of 21 bytes', { preferredAddress: preferred(zeros(21)) }],
  ]
  test.each(wrong)('%s', (_, parameters, hasRetry) => {
    const peer = new HandMadeServer({ parameters })
    if (hasRetry) peer.retry()
    peer.reach('complete').expectClose(TransportParameterError)
  })

  test('RFC 9000 §18.2: preferred_address from a server whose id has no bytes', () => {
    const parameters = { preferredAddress: preferred(zeros(8)) }
    const peer = new HandMadeServer({ parameters, id: zeros(0) }).reach('complete')
    peer.expectClose(TransportParameterError)
  })

  test('RFC 9000 §18.2: the id of a preferred_address is number 1, and one of ours to retire', () => {
    const parameters = { preferredAddress: preferred(zeros(8)) }
    const peer = new HandMadeServer({ parameters }).reach('confirmed')
    const issue = (sequence: number, retirePriorTo: number): Uint8Array =>
      bytes(FrameType.NewConnectionId, sequence, retirePriorTo, 8, new Uint8Array(8).fill(sequence), zeros(16))
    peer.send(Level.OneRtt, concat(issue(2, 0), issue(3, 2))).expectOpen()
    expect(peer.frames(FrameType.RetireConnectionId).map(frame => frame.sequence)).toEqual([0, 1])
    new HandMadeServer({ parameters }).reach('confirmed').send(Level.OneRtt, issue(1, 0)).expectClose(ProtocolViolation)
  })

  test('RFC 9000 §7.3: after a Retry, all three ids as they should be', () => {
    const peer = new HandMadeServer({ parameters: { retrySourceConnectionId: RETRY_ID } }).retry().reach('confirmed')
    expect(peer.connection.isHandshakeConfirmed).toBe(true)
  })

  const limits: [name: keyof TransportParameters, value: number][] = [
    ['activeConnectionIdLimit', 3],
    ['initialMaxData', 99],
    ['initialMaxStreamDataBidiLocal', 99],
    ['initialMaxStreamDataBidiRemote', 99],
    ['initialMaxStreamDataUni', 99],
    ['initialMaxStreamsBidi', 4],
    ['initialMaxStreamsUni', 4],
  ]
  test.each(limits)('RFC 9000 §7.4.1: a limit that falls although early data was accepted: %s', (name, value) => {
    const transport = {
      initialMaxData: 100,
      initialMaxStreamData: 100,
      initialMaxStreamsBidi: 5,
      initialMaxStreamsUni: 5,
    }
    const { resumption, server } = provisioned(transport)
    const parameters = {
      activeConnectionIdLimit: 4,
      initialMaxData: 100,
      initialMaxStreamDataBidiLocal: 100,
      initialMaxStreamDataBidiRemote: 100,
      initialMaxStreamDataUni: 100,
      initialMaxStreamsBidi: 5,
      initialMaxStreamsUni: 5,
    }
    const { psks, earlyData } = server as Required<typeof server>
    const options = { client: { resumption, earlyData: true }, tls: { psks, earlyData } }
    const peer = new HandMadeServer({ ...options, parameters: { ...parameters, [name]: value } }).reach('complete')
    peer.expectClose(ProtocolViolation)
  })
})

function preferred(connectionId: Uint8Array): TransportParameters['preferredAddress'] {
  const ipv4 = Uint8Array.of(192, 0, 2, 9)
  return { ipv4, ipv4Port: 443, ipv6: zeros(16), ipv6Port: 0, connectionId, statelessResetToken: zeros(16) }
}
