// RFC 9221: DATAGRAM frames that were not asked for, or are larger than that.

import { describe, expect, test } from 'vitest'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { ErrorCode } from '../../../src/packet/transport-error.ts'
import { offeredPsk } from '../../../src/zero-rtt/resumption.ts'
import { provisioned } from '../../connection/early.ts'
import { testTime } from '../../support/certificates.ts'
import { bytes, zeros } from '../bytes-by-hand.ts'
import { HandMadeClient, HandMadeServer, peerOf } from '../hand-made-peer.ts'

const { ProtocolViolation } = ErrorCode
const transport = { maxDatagramFrameSize: 100 }

/** Type and data up to the end of the packet. */
function bare(length: number): Uint8Array {
  return bytes(FrameType.Datagram, zeros(length))
}

/** Type, length of two bytes from 64 on, data. */
function counted(length: number): Uint8Array {
  return bytes(FrameType.Datagram + 1, length, zeros(length))
}

describe.each(['client', 'server'] as const)('a connection of a %s', role => {
  test.each([0, 1, 1000])('RFC 9221 §3: a DATAGRAM frame although none were announced (%d bytes)', length => {
    for (const frame of [bare(length), counted(length)]) {
      peerOf(role).reach('confirmed').send(Level.OneRtt, frame).expectClose(ProtocolViolation)
    }
  })

  const tooLarge: [title: string, frame: Uint8Array][] = [
    ['RFC 9221 §3: a DATAGRAM frame larger than announced: type and data', bare(100)],
    ['RFC 9221 §3: a DATAGRAM frame larger than announced: type, length and data', counted(98)],
    ['RFC 9221 §3: a DATAGRAM frame much larger than announced', counted(1000)],
  ]
  test.each(tooLarge)('%s', (_, frame) => {
    peerOf(role, { transport }).reach('confirmed').send(Level.OneRtt, frame).expectClose(ProtocolViolation)
  })

  test('RFC 9221 §3: DATAGRAM frames of just the size that was announced', () => {
    const peer = peerOf(role, { transport }).reach('confirmed')
    peer.send(Level.OneRtt, bare(99)).send(Level.OneRtt, counted(97)).send(Level.OneRtt, counted(0)).expectOpen()
    const received = peer.events.flatMap(event => (event.type === 'datagram' ? [event.data.length] : []))
    expect(received).toEqual([99, 97, 0])
  })

  test('RFC 9221 §3: none are sent to a peer that announced none, or smaller ones', () => {
    const none = peerOf(role, { transport }).reach('confirmed')
    expect(none.connection.sendDatagram(zeros(1))).toBe(false)
    const peer = peerOf(role, { parameters: { maxDatagramFrameSize: 50 } }).reach('confirmed')
    expect(peer.connection.sendDatagram(zeros(50))).toBe(false)
    expect(peer.connection.sendDatagram(zeros(45))).toBe(true)
  })

  test('RFC 9221 §4: a DATAGRAM frame that says it is longer than its packet', () => {
    const frame = bytes(FrameType.Datagram + 1, 50, zeros(49))
    peerOf(role, { transport }).reach('confirmed').send(Level.OneRtt, frame).expectClose(ErrorCode.FrameEncodingError)
  })

  test('RFC 9221 §5: a DATAGRAM frame outside of 0-RTT and 1-RTT packets', () => {
    peerOf(role, { transport }).send(Level.Initial, counted(1)).expectClose(ProtocolViolation)
    peerOf(role, { transport }).reach('handshake').send(Level.Handshake, counted(1)).expectClose(ProtocolViolation)
  })

  test('RFC 9221 §5.2: a DATAGRAM frame is acknowledged', () => {
    const peer = peerOf(role, { transport }).reach('confirmed').send(Level.OneRtt, counted(1), { number: 77 }).pass(30)
    expect(peer.frames(FrameType.Ack, Level.OneRtt).at(-1)?.largestAcknowledged).toBe(77)
  })
})

describe('early data', () => {
  test('RFC 9221 §3: early DATAGRAM frames obey the remembered size', () => {
    const early = (): HandMadeClient => {
      const { resumption, server } = provisioned(transport)
      return new HandMadeClient({ server, psk: offeredPsk(resumption, testTime, true) }).speak(Level.Initial)
    }
    early().send(Level.ZeroRtt, bare(100)).expectClose(ProtocolViolation)
    const peer = early().send(Level.ZeroRtt, bare(99))
    peer.expectOpen()
    expect(peer.has('datagram')).toBe(true)
  })

  test('RFC 9221 §3: a server that accepts early data and announces less than before', () => {
    const { resumption, server } = provisioned(transport)
    const { psks, earlyData } = server as Required<typeof server>
    const options = { client: { resumption, earlyData: true }, tls: { psks, earlyData } }
    // Everything else is as large as it was.
    const huge = 2 ** 40
    const parameters = {
      activeConnectionIdLimit: 4,
      initialMaxData: huge,
      initialMaxStreamDataBidiLocal: huge,
      initialMaxStreamDataBidiRemote: huge,
      initialMaxStreamDataUni: huge,
      initialMaxStreamsBidi: huge,
      initialMaxStreamsUni: huge,
    }
    const reached = (maxDatagramFrameSize: number): HandMadeServer =>
      new HandMadeServer({ ...options, parameters: { ...parameters, maxDatagramFrameSize } }).reach('complete')
    reached(99).expectClose(ProtocolViolation)
  })
})
