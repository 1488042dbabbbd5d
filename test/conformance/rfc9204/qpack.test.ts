// RFC 9204: what a peer may not say in field sections, and on its encoder and decoder streams.

import { describe, expect, test } from 'vitest'
import { Http3Client } from '../../../src/http3/client.ts'
import { FakePair } from '../../support/fake-transport.ts'
import { bytesOf, type CodeName, control, Http3Peer, type Role } from '../http3-peer.ts'

/** HEADERS with this section. */
const section = (hex: string): string => `01 ${Buffer.from([bytesOf(hex).length]).toString('hex')} ${hex}`

/** Set Dynamic Table Capacity to 4096, and user-agent: abc. */
const inserted = '3fe11f ff20 821c64'

const onEncoderStream: [title: string, hex: string, code: CodeName][] = [
  ['RFC 9204 §4.3.1: a capacity above the limit', '3fe21f', 'QpackEncoderStreamError'],
  ['RFC 9204 §3.2.2: an entry larger than the table', `3f09 4161 0a ${'61'.repeat(10)}`, 'QpackEncoderStreamError'],
  ['RFC 9204 §3.2.2: an entry although the capacity is 0', '4161 0161', 'QpackEncoderStreamError'],
  ['RFC 9204 §2.2.3: an insertion that refers to nothing', `${inserted} 81 0161`, 'QpackEncoderStreamError'],
  ['RFC 9204 §2.2.3: a duplicate of nothing', `${inserted} 01`, 'QpackEncoderStreamError'],
  ['RFC 9204 §2.2.3: a duplicate of what was evicted', '3f09 4161 0161 4162 0162 01', 'QpackEncoderStreamError'],
  ['RFC 9204 §3.1: an insertion that refers to no static entry', '3fe11f ff24 0161', 'QpackEncoderStreamError'],
  ['RFC 9204 §4.1.1: an integer of more than 62 bits', '3fffffffffffffffffffffff', 'QpackEncoderStreamError'],
  ['RFC 9204 §4.1.2: a string that is no Huffman code', '3fe11f ff20 84ffffffff', 'QpackEncoderStreamError'],
]

const onDecoderStream: [title: string, hex: string, code: CodeName][] = [
  ['RFC 9204 §4.4.1: an acknowledgment of nothing', '80', 'QpackDecoderStreamError'],
  ['RFC 9204 §4.4.3: an increment of 0', '00', 'QpackDecoderStreamError'],
  ['RFC 9204 §4.4.3: an increment beyond what was inserted', '01', 'QpackDecoderStreamError'],
  [
    'RFC 9204 §4.1.1: an integer of more than 62 bits on a decoder stream',
    '7fffffffffffffffffffff',
    'QpackDecoderStreamError',
  ],
]

const inSections: [title: string, before: string, hex: string][] = [
  ['RFC 9204 §3.1: no static entry', inserted, '0000 ff24'],
  ['RFC 9204 §3.1: no static entry by name', inserted, '0000 5f54 00'],
  ['RFC 9204 §2.2.3: a reference to what was evicted', '3f09 4161 0161 4162 0162', '0200 80'],
  ['RFC 9204 §2.2.3: a reference at or above the Required Insert Count', `${inserted} 00`, '0201 80'],
  ['RFC 9204 §2.2.3: a reference although the Required Insert Count is 0', inserted, '0000 80'],
  ['RFC 9204 §2.2.3: a post-Base reference to nothing', inserted, '0200 10'],
  ['RFC 9204 §2.2.3: a name by a post-Base reference to nothing', inserted, '0200 00 0161'],
  ['RFC 9204 §4.5.1.1: a Required Insert Count out of range', inserted, 'ff82 0080'],
  ['RFC 9204 §4.5.1.2: a negative Base', inserted, '0281 80'],
  ['RFC 9204 §4.1.1: a section cut within an integer', inserted, '0000 ff'],
  ['RFC 9204 §4.1.2: a string longer than its section', inserted, '0000 5105 61'],
  ['RFC 9204 §4.1.2: EOS in a string', inserted, '0000 5184 ffffffff'],
]

describe('faults of a peer in QPACK', () => {
  test.each(onEncoderStream)('%s', (_, hex, code) => {
    for (const role of ['client', 'server'] as const) new Http3Peer(role).uni(`02 ${hex}`).expectClose(code)
  })
  test.each(onDecoderStream)('%s', (_, hex, code) => {
    for (const role of ['client', 'server'] as const) new Http3Peer(role).uni(`03 ${hex}`).expectClose(code)
  })
  test.each(inSections)('%s', (_, before, hex) => {
    for (const role of ['client', 'server'] as const) {
      new Http3Peer(role).uni(`02 ${before}`).request(section(hex)).expectClose('QpackDecompressionFailed')
    }
  })
  test.each([
    ['of a reference', '0000 ffffffffffffffffffffff'],
    ['of the prefix', 'ffffffffffffffffffffff'],
    ['of a length', '0000 517fffffffffffffffffffff'],
  ])('RFC 9204 §7.4: an integer in a section that is larger than can be decoded, %s', (_, hex) => {
    for (const role of ['client', 'server'] as const) {
      const peer = new Http3Peer(role).uni(`02 ${inserted}`).request(section(hex))
      peer.expectAbort('QpackDecompressionFailed')
    }
  })
  test('RFC 9204 §3.2: the same entry twice', () => {
    for (const role of ['client', 'server'] as const)
      new Http3Peer(role).uni(`02 ${inserted} ff20 821c64 00`).expectNothing()
  })
  test('RFC 9204 §4.1.1: integers of 62 bits are read', () => {
    // Stream Cancellation of stream 2^62-1.
    for (const role of ['client', 'server'] as const) new Http3Peer(role).uni('03 7fc0ffffffffffffff3f').expectNothing()
  })
  test('RFC 9204 §2.1.2: more blocked streams than allowed', () => {
    const peer = new Http3Peer('server', { qpackBlockedStreams: 2 })
    peer.request(section('0280 10')).request(section('0280 10')).expectNothing()
    peer.request(section('0280 10')).expectClose('QpackDecompressionFailed')
  })
  test.each(['02', '03'])('RFC 9204 §4.2: a second stream of type %s', type => {
    for (const role of ['client', 'server'] as const)
      new Http3Peer(role).uni(type).uni(type).expectClose('StreamCreationError')
  })
  test.each(['02', '03'])('RFC 9204 §4.2: a stream of type %s that ends', type => {
    for (const role of ['client', 'server'] as const)
      new Http3Peer(role).uni(type, true).expectClose('ClosedCriticalStream')
  })
  test('RFC 9204 §4.2: our encoder stream is not wanted', async () => {
    const peer = new Http3Peer('server').uni('00 0406 01 5000 07 4064').request(section('0000 d1 d7 5001 61 c1'), true)
    await peer.read()
    peer.them.stop(7, 0x100)
    while (peer.pair.step());
    peer.expectClose('ClosedCriticalStream')
  })
  const capacities: [string, string][] = [
    ['less', '0043ff'],
    ['more', '004401'],
    ['none', ''],
  ]
  test.each(capacities)('RFC 9204 §3.2.3: another capacity than the one remembered: %s', (_, setting) => {
    const pair = new FakePair()
    pair.client.sink = new Http3Client(pair.client, { remembered: bytesOf('01 4400') })
    const settings = setting === '' ? '' : `01 ${setting.slice(2)}`
    const length = Buffer.from([bytesOf(settings).length]).toString('hex')
    pair.server.write(3, bytesOf(`00 04 ${length} ${settings}`), false)
    while (pair.step());
    expect(pair.client.closedWith?.code).toBe(0x202)
  })
})

describe('what a peer may do in QPACK', () => {
  test.each<Role>(['client', 'server'])(
    'RFC 9204 §4.4.2: a cancellation of a stream nothing is known of (%s)',
    role => {
      new Http3Peer(role).uni('03 44').expectNothing()
    },
  )
  test('RFC 9204 §3.2.2: an entry that refers to the one it drives out', () => {
    // 34 bytes fit: the second takes the name of the first.
    new Http3Peer('server').uni('02 3f09 4161 0161 80 0162').expectNothing()
  })
  test('RFC 9204 §4.2: QPACK streams of which nothing is heard', () => {
    new Http3Peer('server').uni(control).uni('02').uni('03').expectNothing()
  })
})
