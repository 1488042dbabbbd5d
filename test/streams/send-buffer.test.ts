import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { SendBuffer } from '../../src/streams/send-buffer.ts'
import { seeded } from './link.ts'

function copy(buffer: SendBuffer, offset: number, length: number): number[] {
  const writer = Writer.allocate(length)
  buffer.copyTo(writer, offset, length)
  return [...writer.finish()]
}

test('gathers bytes from as many chunks as it takes', () => {
  const buffer = new SendBuffer()
  buffer.push(Uint8Array.of(0, 1, 2))
  buffer.push(new Uint8Array(0))
  buffer.push(Uint8Array.of(3))
  buffer.push(Uint8Array.of(4, 5, 6, 7))
  expect(buffer.end).toBe(8)
  expect(copy(buffer, 0, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(copy(buffer, 2, 3)).toEqual([2, 3, 4])
  expect(copy(buffer, 6, 1)).toEqual([6])
  expect(copy(buffer, 0, 1)).toEqual([0])
  expect(copy(buffer, 3, 0)).toEqual([])
})

test('keeps the chunks of the caller: no copy is made', () => {
  const chunk = new Uint8Array(10)
  const buffer = new SendBuffer()
  buffer.push(chunk)
  chunk[4] = 99
  expect(copy(buffer, 4, 1)).toEqual([99])
})

describe('RFC 9000 §13.3', () => {
  test('what was lost is due again, but for what was acknowledged in the meantime', () => {
    const buffer = new SendBuffer()
    buffer.push(new Uint8Array(100))
    buffer.onSent(0, 100)
    buffer.onAcked(20, 10)
    buffer.onAcked(50, 10)
    buffer.onLost(0, 60)
    const due: number[][] = []
    while (buffer.hasLost) {
      due.push([buffer.lostStart, buffer.lostEnd])
      buffer.onSent(buffer.lostStart, buffer.lostEnd - buffer.lostStart)
    }
    expect(due).toEqual([
      [0, 20],
      [30, 50],
    ])
  })

  test('a late acknowledgement takes back what was declared lost', () => {
    const buffer = new SendBuffer()
    buffer.push(new Uint8Array(100))
    buffer.onSent(0, 100)
    buffer.onLost(0, 100)
    buffer.onAcked(0, 40)
    expect([buffer.lostStart, buffer.lostEnd]).toEqual([40, 100])
    buffer.onAcked(40, 60)
    expect(buffer.hasLost).toBe(false)
    expect(buffer.length).toBe(0)
    buffer.onLost(0, 100)
    expect(buffer.hasLost).toBe(false)
  })
})

test('resend makes all that is unacknowledged due', () => {
  const buffer = new SendBuffer()
  buffer.push(new Uint8Array(100))
  buffer.onSent(0, 80)
  buffer.onAcked(0, 10)
  buffer.onAcked(30, 10)
  buffer.resend()
  expect([buffer.lostStart, buffer.lostEnd]).toEqual([10, 30])
  buffer.onAcked(10, 20)
  expect([buffer.lostStart, buffer.lostEnd]).toEqual([40, 80])
  expect(buffer.unsent).toBe(20)
})

test('rewind forgets that anything was sent, clear what was written', () => {
  const buffer = new SendBuffer()
  buffer.push(Uint8Array.of(1, 2, 3))
  buffer.onSent(0, 2)
  buffer.onLost(0, 1)
  buffer.rewind()
  expect([buffer.sent, buffer.unsent, buffer.hasLost]).toEqual([0, 3, false])
  // What was acknowledged of the earlier life means nothing now.
  buffer.onAcked(0, 2)
  expect(buffer.acked).toBe(0)
  buffer.push(Uint8Array.of(4, 5, 6))
  buffer.push(Uint8Array.of(7, 8, 9))
  buffer.onSent(0, 2)
  buffer.clear()
  expect([buffer.sent, buffer.end, buffer.length]).toEqual([2, 2, 0])
  buffer.rewind()
  expect([buffer.sent, buffer.end]).toEqual([0, 0])
})

test('random life of a buffer: every byte copied is the one written there', () => {
  const random = seeded(7)
  const buffer = new SendBuffer()
  const flying: [number, number][] = []
  for (let step = 0; step < 20_000; step++) {
    const what = random()
    if (what < 0.3) {
      const start = buffer.end
      buffer.push(Uint8Array.from({ length: Math.floor(random() * 50) }, (_, i) => ((start + i) * 7) & 0xff))
    } else if (what < 0.6) {
      const offset = buffer.hasLost ? buffer.lostStart : buffer.sent
      const most = buffer.hasLost ? buffer.lostEnd - offset : buffer.unsent
      const length = Math.min(most, Math.floor(random() * 120))
      copy(buffer, offset, length).forEach((byte, i) => {
        if (byte !== (((offset + i) * 7) & 0xff)) throw new Error(`byte ${offset + i}`)
      })
      buffer.onSent(offset, length)
      if (length > 0) flying.push([offset, length])
    } else if (flying.length > 0) {
      const [offset, length] = flying.splice(Math.floor(random() * flying.length), 1)[0] as [number, number]
      if (random() < 0.2) buffer.onLost(offset, length)
      else buffer.onAcked(offset, length)
    }
  }
  for (const [offset, length] of flying) buffer.onAcked(offset, length)
  while (buffer.hasLost || buffer.unsent > 0) {
    const offset = buffer.hasLost ? buffer.lostStart : buffer.sent
    const length = buffer.hasLost ? buffer.lostEnd - offset : buffer.unsent
    buffer.onSent(offset, length)
    buffer.onAcked(offset, length)
  }
  expect(buffer.length).toBe(0)
})
