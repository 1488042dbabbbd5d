import { describe, expect, test } from 'vitest'
import { MAX_GAPS, MAX_PINNED, MIN_VIEW, ReceiveBuffer } from '../../src/streams/receive-buffer.ts'
import { seeded } from './link.ts'

function bytes(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((offset + i) * 11) & 0xff)
}

function readAll(buffer: ReceiveBuffer): { length: number; chunks: Uint8Array[] } {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let chunk = buffer.read(); chunk !== undefined; chunk = buffer.read()) {
    const at = buffer.readOffset - chunk.length
    if (!chunk.every((byte, i) => byte === (((at + i) * 11) & 0xff))) throw new Error(`chunk at ${at} differs`)
    chunks.push(chunk)
    length += chunk.length
  }
  return { length, chunks }
}

test('a chunk of good size is handed on as the view it was', () => {
  const buffer = new ReceiveBuffer()
  const packet = bytes(0, 1200)
  const view = packet.subarray(0, 1180)
  buffer.insert(0, view)
  expect(buffer.contiguous).toBe(1180)
  expect(buffer.read()).toBe(view)
  expect(buffer.read()).toBe(undefined)
  expect(buffer.isReadable).toBe(false)
})

test('waits for what is missing', () => {
  const buffer = new ReceiveBuffer()
  buffer.insert(10, bytes(10, 10))
  expect(buffer.read()).toBe(undefined)
  expect(buffer.isReadable).toBe(false)
  buffer.insert(0, bytes(0, 10))
  expect(buffer.isReadable).toBe(true)
  expect(readAll(buffer).length).toBe(20)
})

test('RFC 9000 §2.2: what has arrived already is not kept twice', () => {
  const buffer = new ReceiveBuffer()
  buffer.insert(0, bytes(0, 100))
  expect(readAll(buffer).length).toBe(100)
  buffer.insert(0, bytes(0, 100))
  buffer.insert(40, bytes(40, 80))
  buffer.insert(150, bytes(150, 10))
  buffer.insert(110, bytes(110, 60))
  buffer.insert(0, new Uint8Array(0))
  expect(readAll(buffer).length).toBe(70)
})

test('a small view of a large slab is copied before it is kept', () => {
  const slab = new Uint8Array(64 * 1024)
  const view = slab.subarray(100, 1300)
  const buffer = new ReceiveBuffer()
  buffer.insert(0, view)
  slab.fill(0xff)
  const chunk = buffer.read() as Uint8Array
  expect(chunk.buffer.byteLength).toBe(1200)
  expect(chunk[0]).toBe(0)
})

test('a view that is a Buffer is copied as well, where slice would not', () => {
  const slab = Buffer.alloc(64 * 1024)
  const buffer = new ReceiveBuffer()
  buffer.insert(5, slab.subarray(0, 5))
  buffer.insert(0, slab.subarray(0, 5))
  slab.fill(0xff)
  expect(buffer.read()?.[0]).toBe(0)
  expect(buffer.read()?.[0]).toBe(0)
})

describe('memory stays in proportion to the bytes held', () => {
  function held(buffer: ReceiveBuffer): { chunks: number; allocated: number; length: number } {
    const { chunks, length } = readAll(buffer)
    const buffers = new Set(chunks.map(chunk => chunk.buffer))
    let allocated = 0
    for (const memory of buffers) allocated += memory.byteLength
    return { chunks: chunks.length, allocated, length }
  }

  test('one byte at a time, in order', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 0; i < 100_000; i++) buffer.insert(i, bytes(i, 1))
    const { chunks, allocated, length } = held(buffer)
    expect(length).toBe(100_000)
    expect(chunks).toBeLessThan((2 * length) / MIN_VIEW)
    expect(allocated).toBeLessThan(MAX_PINNED * length)
  })

  test('one byte at a time, from the end', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 20_000; i >= 0; i--) buffer.insert(i, bytes(i, 1))
    const { chunks, length } = held(buffer)
    expect(length).toBe(20_001)
    expect(chunks).toBeLessThanOrEqual(2 * MAX_GAPS)
  })

  test('large and small in turn', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 0, at = 0; i < 3000; i++) {
      const length = i % 3 === 0 ? MIN_VIEW : 1
      buffer.insert(at, bytes(at, length))
      at += length
    }
    const { allocated, length } = held(buffer)
    expect(allocated).toBeLessThan(MAX_PINNED * length)
  })

  test('every other byte: too many gaps are reported', () => {
    const buffer = new ReceiveBuffer()
    for (let i = 0; i < MAX_GAPS; i++) buffer.insert(2 * i + 1, bytes(2 * i + 1, 1))
    expect(buffer.hasTooManyGaps).toBe(false)
    buffer.insert(2 * MAX_GAPS + 1, bytes(2 * MAX_GAPS + 1, 1))
    expect(buffer.hasTooManyGaps).toBe(true)
  })
})

test('against a plain array: any order, any overlap', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed)
    const size = 1 + Math.floor(random() * 30_000)
    const most = 1 + Math.floor(random() * 3000)
    const buffer = new ReceiveBuffer()
    const has = new Uint8Array(size)
    let read = 0
    let arrived = 0
    while (read < size) {
      // Mostly near the reader, so that it comes to an end.
      const offset = Math.min(size - 1, Math.floor(read + (random() - 0.2) * 6000 * random()))
      const start = Math.max(0, offset)
      const length = Math.min(size - start, Math.floor(random() * most) + 1)
      buffer.insert(start, bytes(start, length))
      has.fill(1, start, start + length)
      while (arrived < size && has[arrived] === 1) arrived++
      if (buffer.contiguous !== arrived) throw new Error(`seed ${seed}: ${buffer.contiguous} is not ${arrived}`)
      if (random() < 0.5) read += readAll(buffer).length
    }
    expect(buffer.readOffset).toBe(size)
  }
})

test('clear gives everything up', () => {
  const buffer = new ReceiveBuffer()
  buffer.insert(0, bytes(0, 1000))
  buffer.insert(2000, bytes(2000, 1000))
  buffer.clear()
  expect(buffer.read()).toBe(undefined)
  expect(buffer.isReadable).toBe(false)
})
