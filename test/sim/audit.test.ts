// Those who watch from outside see what they are there for.

import { expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/hex.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { Level } from '../../src/packet/level.ts'
import { Credit } from './credit.ts'
import { Messages } from './messages.ts'
import { Pair } from './pair.ts'

const transport = { initialMaxData: 8, initialMaxStreamData: 6, initialMaxStreamsBidi: 2, initialMaxStreamsUni: 0 }

function audit(...sent: readonly (readonly ['client' | 'server', string])[]): Credit {
  const credit = new Credit(transport, transport)
  for (const [side, hex] of sent) {
    credit.recorder(side).packetSent(Level.OneRtt, 0, 100, fromHex(hex.replaceAll(' ', '')), undefined, 0)
  }
  return credit
}

test('RFC 9000 §4.1: bytes within what was granted, also when they are sent again', () => {
  const six = ['client', '0a 00 06 616161616161'] as const
  expect(() => audit(six, six).check()).not.toThrow()
})

test.each([
  ['more on a stream', [['client', '0a 00 07 61616161616161']], '7 bytes on stream 0, 6 allowed'],
  [
    'more on all',
    [
      ['client', '0a 00 06 616161616161'],
      ['client', '0a 04 03 616161'],
    ],
    '9 bytes, 8 allowed',
  ],
  ['RFC 9000 §4.6: more streams', [['client', '0a 08 01 61']], 'stream 8 was not allowed'],
  ['RFC 9000 §4.5: a final size beyond', [['client', '04 00 07 09']], '9 bytes on stream 0'],
] as const)('%s', (_, sent, message) => {
  expect(() => audit(...sent).check()).toThrow(message)
})

test('RFC 9000 §19.9-11: grants of the other side count, and those of this side do not', () => {
  const seven = ['client', '0a 00 07 61616161616161'] as const
  expect(() => audit(['server', '11 00 08'], seven).check()).not.toThrow()
  expect(() => audit(['client', '11 00 08'], seven).check()).toThrow('6 allowed')
})

test('RFC 9221: a datagram that is said to have arrived, and has not', () => {
  const messages = new Messages(new Pair().connect())
  const settled = (id: number): ConnectionEvent => ({ type: 'datagramSettled', id, fate: 'acked' })
  expect(() => messages.onEvent('client', settled(1))).toThrow('datagram 1 settled')
  const data = Uint8Array.of(0, 0, 0, 9)
  expect(() => messages.onEvent('client', { type: 'datagram', data })).toThrow('never sent')
})
