// A session for the next request, made while nobody waits.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Http3Session } from 'zerotrip/http3'
import { SpareSession } from '../src/http/spare-session.ts'

interface Made {
  isClosed: boolean
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function scene(): { spare: SpareSession; made: Made[] } {
  const made: Made[] = []
  const spare = new SpareSession(() => {
    const one = { isClosed: false, opened: Promise.reject(new Error('closed')), closed: Promise.resolve() }
    made.push(one)
    return {
      ...one,
      close: async () => {
        made[made.indexOf(one)] = Object.assign(one, { isClosed: true })
      },
    } as unknown as Http3Session
  })
  return { spare, made }
}

test('there is one soon after it was asked for, once', () => {
  const { spare, made } = scene()
  spare.prepare()
  spare.prepare()
  expect(spare.take()).toBe(undefined)
  vi.advanceTimersByTime(1000)
  expect(made).toHaveLength(0)
  spare.prepare()
  vi.advanceTimersByTime(10)
  expect(spare.take()).toBeDefined()
  expect(spare.take()).toBe(undefined)
  vi.advanceTimersByTime(100_000)
  expect(made).toMatchObject([{ isClosed: false }])
})

test('it is never older than a few seconds, and after a minute there is none', () => {
  const { spare, made } = scene()
  spare.prepare()
  vi.advanceTimersByTime(9000)
  expect(made).toMatchObject([{ isClosed: true }, { isClosed: true }, { isClosed: false }])
  vi.advanceTimersByTime(100_000)
  expect(made.length).toBeLessThan(20)
  expect(made.every(({ isClosed }) => isClosed)).toBe(true)
  expect(spare.take()).toBe(undefined)
  spare.prepare()
  vi.advanceTimersByTime(10)
  expect(made.at(-1)).toMatchObject({ isClosed: false })
  spare.drop()
  expect(made.every(({ isClosed }) => isClosed)).toBe(true)
})

test('where none can be made there is none', () => {
  const spare = new SpareSession(() => {
    throw new Error('the endpoint is closed')
  })
  spare.prepare()
  vi.advanceTimersByTime(100)
  expect(spare.take()).toBe(undefined)
})
