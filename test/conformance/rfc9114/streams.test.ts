// RFC 9114: what a peer may not do with streams and with frames that are about the connection.

import { describe, expect, test } from 'vitest'
import { Http3Client } from '../../../src/http3/client.ts'
import { FakePair } from '../../support/fake-transport.ts'
import { bytesOf, type CodeName, control, get, Http3Peer, headers, type Role } from '../http3-peer.ts'

/** By a unidirectional stream: its bytes, whether it ends, and what it comes to. */
const onUni: [title: string, role: Role, hex: string, fin: boolean, code: CodeName][] = [
  ['RFC 9114 §6.2.1: a control stream without SETTINGS', 'server', '00 0d0100', false, 'MissingSettings'],
  [
    'RFC 9114 §6.2.1: a control stream that begins with a reserved frame',
    'client',
    '00 2100',
    false,
    'MissingSettings',
  ],
  ['RFC 9114 §6.2.1: a control stream that ends', 'server', control, true, 'ClosedCriticalStream'],
  ['RFC 9114 §6.2.1: a control stream that ends, at a client', 'client', control, true, 'ClosedCriticalStream'],
  ['RFC 9114 §6.2.2: a push stream of a client', 'server', '01 00', false, 'StreamCreationError'],
  ['RFC 9114 §4.6: a push stream without MAX_PUSH_ID', 'client', '01 00', false, 'IdError'],
  ['RFC 9114 §7.1: a frame with more than its fields', 'server', `${control} 0d020000`, false, 'FrameError'],
  ['RFC 9114 §7.1: a frame with less than its fields', 'client', `${control} 0700`, false, 'FrameError'],
  ['RFC 9114 §7.1: a frame cut within a field', 'client', `${control} 070140`, false, 'FrameError'],
  ['RFC 9114 §7.2.1: DATA on a control stream', 'server', `${control} 000161`, false, 'FrameUnexpected'],
  ['RFC 9114 §7.2.2: HEADERS on a control stream', 'client', `${control} 01020000`, false, 'FrameUnexpected'],
  ['RFC 9114 §7.2.3: CANCEL_PUSH of a push that is not allowed', 'client', `${control} 030100`, false, 'IdError'],
  ['RFC 9114 §7.2.3: CANCEL_PUSH of a push that was never promised', 'server', `${control} 030100`, false, 'IdError'],
  ['RFC 9114 §7.2.4: SETTINGS twice', 'server', `${control} 0400`, false, 'FrameUnexpected'],
  ['RFC 9114 §7.2.4: a setting twice', 'client', '00 0404 06010602', false, 'SettingsError'],
  ['RFC 9114 §7.2.4.1: a setting of HTTP/2', 'server', '00 0402 0201', false, 'SettingsError'],
  ['RFC 9114 §7.2.4.1: the setting 0x00', 'client', '00 0402 0000', false, 'SettingsError'],
  ['RFC 9114 §7.2.4: SETTINGS cut within a setting', 'server', '00 0401 06', false, 'FrameError'],
  ['RFC 9114 §7.2.5: PUSH_PROMISE on a control stream', 'client', `${control} 05020000`, false, 'FrameUnexpected'],
  ['RFC 9114 §5.2: GOAWAY that goes up', 'client', `${control} 070104 070108`, false, 'IdError'],
  ['RFC 9114 §5.2: GOAWAY of a push that goes up', 'server', `${control} 070100 070101`, false, 'IdError'],
  ['RFC 9114 §7.2.6: GOAWAY of what is no request', 'client', `${control} 070102`, false, 'IdError'],
  ['RFC 9114 §7.2.7: MAX_PUSH_ID of a server', 'client', `${control} 0d0100`, false, 'FrameUnexpected'],
  ['RFC 9114 §7.2.7: MAX_PUSH_ID that goes down', 'server', `${control} 0d0102 0d0101`, false, 'IdError'],
]

/** The same by the stream of a request. */
const onRequest: [title: string, role: Role, hex: string, code: CodeName][] = [
  ['RFC 9114 §7.2.3: CANCEL_PUSH on a request stream', 'server', '030100', 'FrameUnexpected'],
  ['RFC 9114 §7.2.4: SETTINGS on a request stream', 'client', '0400', 'FrameUnexpected'],
  ['RFC 9114 §7.2.5: PUSH_PROMISE of a client', 'server', '05020000', 'FrameUnexpected'],
  ['RFC 9114 §7.2.5: PUSH_PROMISE with an id above MAX_PUSH_ID', 'client', '0503000000', 'IdError'],
  ['RFC 9114 §7.2.6: GOAWAY on a request stream', 'client', '070100', 'FrameUnexpected'],
  ['RFC 9114 §7.2.7: MAX_PUSH_ID on a request stream', 'server', '0d0100', 'FrameUnexpected'],
]

describe('faults of a peer that end the connection', () => {
  test.each(onUni)('%s', (_, role, hex, fin, code) => {
    new Http3Peer(role).uni(hex, fin).expectClose(code)
  })
  test.each(onRequest)('%s', (_, role, hex, code) => {
    new Http3Peer(role).request(hex).expectClose(code)
  })
  test('RFC 9114 §6.1: a bidirectional stream of a server', () => {
    const peer = new Http3Peer('client')
    peer.write(peer.them.openStream('bidi') as number, '00').expectClose('StreamCreationError')
  })
  test.each<Role>(['client', 'server'])('RFC 9114 §6.2.1: a second control stream (%s)', role => {
    new Http3Peer(role).uni(control).uni(control).expectClose('StreamCreationError')
  })
  test('RFC 9114 §6.2.1: a control stream that is reset', () => {
    const peer = new Http3Peer('server').uni(control)
    peer.them.reset(2, 0x100)
    while (peer.pair.step());
    peer.expectClose('ClosedCriticalStream')
  })
  test('RFC 9114 §6.2.1: our control stream is not wanted', () => {
    const peer = new Http3Peer('server')
    peer.them.stop(3, 0x100)
    while (peer.pair.step());
    peer.expectClose('ClosedCriticalStream')
  })
  test.each(['02', '06', '08', '09'])('RFC 9114 §7.2.8: a frame type of HTTP/2: 0x%s', type => {
    new Http3Peer('server').uni(`${control} ${type}00`).expectClose('FrameUnexpected')
    new Http3Peer('server').request(`${type}00`).expectClose('FrameUnexpected')
  })
  test('RFC 9114 §7.2.4.2: settings reduced although early data was accepted', () => {
    const pair = new FakePair()
    const client = new Http3Client(pair.client, { remembered: bytesOf('06 4400') })
    pair.client.sink = client
    pair.server.write(3, bytesOf('00 04 03 06 43ff'), false)
    while (pair.step());
    expect(pair.client.closedWith?.code).toBe(0x109)
  })
})

describe('what a peer may do', () => {
  test.each<Role>(['client', 'server'])('RFC 9114 §6.2: a stream of unknown type is no error (%s)', role => {
    const peer = new Http3Peer(role).uni('4321 616263')
    peer.expectNothing()
    expect(peer.us.stops.map(([, code]) => code)).toEqual([0x103])
  })
  test.each<Role>(['client', 'server'])(
    'RFC 9114 §6.2.3, §7.2.8, §9: reserved streams, frames and settings (%s)',
    role => {
      const peer = new Http3Peer(role).uni('00 0403 4040 05 2103aabbcc 4040 00')
      peer.uni('21').expectNothing()
      peer
        .request(`2103aabbcc ${role === 'server' ? headers(get) : headers([[':status', '200']])} 4040 00`)
        .expectNothing()
    },
  )
  test('RFC 9114 §5.2: GOAWAY twice, the second lower', () => {
    new Http3Peer('client').uni(`${control} 070108 070104 070104`).expectNothing()
  })
})
