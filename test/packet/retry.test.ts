import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { type PacketHeader, PacketKind, readHeader } from '../../src/packet/header.ts'
import { readRetry, writeRetry } from '../../src/packet/retry.ts'
import { QUIC_V1, QUIC_V2 } from '../../src/packet/version.ts'

const none = new Uint8Array(0)
const source = fromHex('f067a5502a4262b5')
const token = new TextEncoder().encode('token')
const tag = fromHex('04a265ba2eff4d829058fb3f0fc2496b')

test.each([
  ['RFC 9001 §A.4', QUIC_V1, 'ff000000010008f067a5502a4262b5746f6b656e'],
  ['RFC 9369 §A.4', QUIC_V2, 'cf6b3343cf0008f067a5502a4262b5746f6b656e'],
])('%s: Retry', (_, version, hex) => {
  const w = Writer.allocate(100)
  writeRetry(w, version, none, source, token, 0xff)
  expect(toHex(w.finish())).toBe(hex)
  w.put(tag)
  const header = readHeader(w.finish(), 0, 8) as PacketHeader
  expect(header).toMatchObject({ kind: PacketKind.Retry, version, source })
  expect(readRetry(w.finish(), header)).toEqual({ token, tag, pseudo: fromHex(hex) })
})

test('the four unused bits are whatever is given', () => {
  const w = Writer.allocate(100)
  writeRetry(w, QUIC_V1, none, source, token, 0x25)
  expect(w.bytes[0]).toBe(0xf5)
})

test('RFC 9000 §17.2.5.2: a Retry without token or tag is discarded', () => {
  const w = Writer.allocate(100)
  writeRetry(w, QUIC_V1, none, source, none, 0)
  const idsEnd = w.pos
  w.put(tag)
  w.u8(0)
  for (let length = idsEnd; length <= idsEnd + 16; length++) {
    const packet = w.bytes.subarray(0, length)
    expect(readRetry(packet, readHeader(packet, 0, 8) as PacketHeader)).toBe(undefined)
  }
  expect(readRetry(w.finish(), readHeader(w.finish(), 0, 8) as PacketHeader)?.token.length).toBe(1)
})
