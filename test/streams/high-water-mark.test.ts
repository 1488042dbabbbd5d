import { expect, test } from 'vitest'
import { MemoryAccount, MemoryBudget } from '../../src/bytes/memory-budget.ts'
import { DEFAULT_SEND_BUFFER, HighWaterMark, MAX_SEND_BUFFER } from '../../src/streams/high-water-mark.ts'
import { limits, packetOf, pair } from './link.ts'

const MiB = 1024 * 1024
const wide = limits({ maxData: 2 ** 30, maxStreamDataUni: 2 ** 30 })

test('the mark follows the congestion window, from its initial value up to a maximum', () => {
  const mark = new HighWaterMark(undefined, new MemoryAccount(new MemoryBudget()))
  expect(mark.of(0)).toBe(DEFAULT_SEND_BUFFER)
  mark.adapt(12_000)
  expect(mark.of(0)).toBe(DEFAULT_SEND_BUFFER)
  mark.adapt(MiB)
  expect(mark.of(0)).toBe(3 * MiB)
  mark.adapt(2 ** 40)
  expect(mark.of(0)).toBe(MAX_SEND_BUFFER)
})

test('one that was asked for stays', () => {
  const mark = new HighWaterMark(5000, new MemoryAccount(new MemoryBudget(1)))
  mark.adapt(2 ** 40)
  expect(mark.of(0)).toBe(5000)
})

test('what streams hold beyond their initial share they hold together', () => {
  const { client } = pair({}, wide)
  client.set.adapt(10, MiB)
  const [first, second] = [client.set.open('uni'), client.set.open('uni')] as [number, number]
  expect(client.set.send(first, new Uint8Array(2.5 * MiB), false)).toBe(MiB / 2)
  // Half a MiB is left of the three windows, and it has to fit there.
  expect(client.set.send(second, new Uint8Array(MiB / 4), false)).toBe(MiB / 4)
  expect(client.set.send(first, new Uint8Array(MiB / 4), false)).toBe(0)
  // A stream may hold its share, whatever the others hold.
  const third = client.set.open('uni') as number
  expect(client.set.send(third, new Uint8Array(1000), false)).toBe(DEFAULT_SEND_BUFFER - 1000)
})

test('a writer that waits is called when the window has grown and ACKs have come', () => {
  const { client } = pair({}, wide)
  const id = client.set.open('uni') as number
  expect(client.set.send(id, new Uint8Array(DEFAULT_SEND_BUFFER), false)).toBe(0)
  const { frames } = packetOf(client.set)
  client.set.adapt(10, MiB)
  for (const frame of frames) client.set.onAcked(frame)
  expect(client.take('writable')).toEqual([{ type: 'writable', id }])
})

test('what was reset is held no longer', () => {
  const { client } = pair({}, wide)
  client.set.adapt(10, MiB)
  const [first, second] = [client.set.open('uni'), client.set.open('uni')] as [number, number]
  client.set.send(first, new Uint8Array(3 * MiB), false)
  client.set.reset(first, 0)
  expect(client.set.send(second, new Uint8Array(0), false)).toBe(3 * MiB)
})
