import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { Progress, sizeText } from '../../src/cli/progress.ts'

function terminal() {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      text += chunk
      callback()
    },
  })
  return { stream: Object.assign(stream, { columns: 60 }), text: () => text }
}

test('quick downloads show nothing', () => {
  const { stream, text } = terminal()
  let now = 0
  const progress = new Progress(stream, () => now)
  progress.expect(100)
  now = 499
  progress.advance(100)
  progress.clear()
  expect(text()).toBe('')
})

test('long ones show a bar, ten times a second, and take it away', () => {
  const { stream, text } = terminal()
  let now = 0
  const progress = new Progress(stream, () => now)
  progress.expect(4096)
  now = 500
  progress.advance(1024)
  const first = '\r[######..................] 25 %  1.0 KiB of 4.0 KiB  2.0 KiB/s'.slice(0, 60)
  expect(text()).toBe(`${first}\x1b[K`)
  now = 599
  progress.advance(1024)
  expect(text().split('\r').length).toBe(2)
  progress.clear()
  progress.clear()
  expect(text()).toBe(`${first}\x1b[K\r\x1b[K`)
})

test('without a length there is no share', () => {
  const { stream, text } = terminal()
  let now = 0
  const progress = new Progress(stream, () => now)
  progress.expect(undefined)
  now = 1000
  progress.advance(2048)
  expect(text()).toBe('\r2.0 KiB  2.0 KiB/s\x1b[K')
})

test('sizes', () => {
  expect([0, 1023, 1024, 1536, 10 * 1024 ** 2, 3 * 1024 ** 4, 5000 * 1024 ** 4].map(sizeText)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '10.0 MiB',
    '3.0 TiB',
    '5000.0 TiB',
  ])
})
