import { expect, test } from 'vitest'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import { SentFrame, SentKind } from '../../src/packet/sent-frame.ts'

test('RFC 9002 §2: ACK and CONNECTION_CLOSE do not make a packet ack-eliciting', () => {
  const packet = new PacketWriter(Level.OneRtt, new Uint8Array(100), 20, 84)
  expect(packet.remaining).toBe(64)
  packet.record(new SentFrame(SentKind.Ack, 0, 5), false)
  packet.record(new SentFrame(SentKind.Close), false)
  expect(packet.isAckEliciting).toBe(false)
  packet.record(new SentFrame(SentKind.Crypto, Level.Handshake, 10, 20))
  packet.record(new SentFrame(SentKind.Ack), false)
  expect(packet.isAckEliciting).toBe(true)
  expect(packet.frames.map(frame => frame.kind)).toEqual([SentKind.Ack, SentKind.Close, SentKind.Crypto, SentKind.Ack])
  expect(packet.frames[2]?.level).toBe(Level.Handshake)
})

test('frames stop where room for the tag is kept', () => {
  const packet = new PacketWriter(Level.OneRtt, new Uint8Array(100), 90, 92)
  packet.u16(1)
  expect(() => packet.u8(1)).toThrow(RangeError)
})
