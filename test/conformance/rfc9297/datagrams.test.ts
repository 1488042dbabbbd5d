// RFC 9297 and RFC 9220: datagrams, capsules and CONNECT with a protocol, as a peer may not send them.

import { describe, expect, test } from 'vitest'
import type { Field } from '../../../src/http3/field.ts'
import { bytesOf, type CodeName, get, Http3Peer, headers } from '../http3-peer.ts'

const taking = { h3Datagram: true, enableConnectProtocol: true }
const connect: readonly Field[] = [[':method', 'CONNECT'], [':protocol', 'x'], ...get.slice(1)]

const datagrams: [title: string, hex: string, code: CodeName][] = [
  ['RFC 9297 §2.1: a datagram too short for a stream id', '', 'DatagramError'],
  ['RFC 9297 §2.1: a datagram cut within its stream id', '40', 'DatagramError'],
  ['RFC 9297 §2.1: a stream id above the largest', 'd000000000000000', 'DatagramError'],
]

describe('faults of a peer beyond requests', () => {
  test.each(datagrams)('%s', (_, hex, code) => {
    const peer = new Http3Peer('server', taking)
    peer.them.sendDatagram(bytesOf(hex))
    peer.pair.deliverDatagrams()
    peer.expectClose(code)
  })
  test('RFC 9297 §2: a datagram of a request that knows none', () => {
    const peer = new Http3Peer('server', taking).request(headers([[':method', 'POST'], ...get.slice(1)]))
    peer.them.sendDatagram(bytesOf('00 61'))
    peer.pair.deliverDatagrams()
    peer.expectAbort('DatagramError')
  })
  test('RFC 9297 §2.1: a datagram behind the end of its stream is dropped', () => {
    const peer = new Http3Peer('server', taking).request(headers(get), true)
    peer.them.sendDatagram(bytesOf('00 61'))
    peer.pair.deliverDatagrams()
    peer.expectNothing()
    expect(peer.us.resets).toEqual([])
  })
  test.each(['02', '4040'])('RFC 9297 §2.1.1: SETTINGS_H3_DATAGRAM is %s', value => {
    const setting = `33 ${value}`
    new Http3Peer('client').uni(`00 04 0${bytesOf(setting).length} ${setting}`).expectClose('SettingsError')
  })
  test('RFC 9220 §3: SETTINGS_ENABLE_CONNECT_PROTOCOL is 2', () => {
    new Http3Peer('client').uni('00 0402 0802').expectClose('SettingsError')
  })
  test('RFC 9220 §3: :protocol although nobody announced it', async () => {
    ;(await new Http3Peer('server').request(headers(connect)).read()).expectAbort('MessageError')
  })
  test('RFC 9220 §3: :protocol of another method', async () => {
    const fields: Field[] = [[':method', 'GET'], ...connect.slice(1)]
    ;(await new Http3Peer('server', taking).request(headers(fields)).read()).expectAbort('MessageError')
  })
  test('RFC 9220 §3: :protocol without :path', async () => {
    ;(await new Http3Peer('server', taking).request(headers(connect.slice(0, -1))).read()).expectAbort('MessageError')
  })
})
