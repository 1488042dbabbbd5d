import { describe, expect, test } from 'vitest'
import { firstTickets, MemoryTickets, NoTickets, originOf } from '../../src/zero-rtt/ticket-store.ts'
import { bytesOf, resumption, START } from './support.ts'

const ticket = (name: string, lifetime = 60_000) => resumption({ identity: bytesOf(name), lifetime })
const name = (taken: { identity: Uint8Array } | undefined) => taken && Buffer.from(taken.identity).toString()

function store(options = {}) {
  const clock = { time: START }
  return { clock, tickets: new MemoryTickets(() => clock.time, options) }
}

describe('MemoryTickets', () => {
  test('RFC 8446 §C.4: what was taken is gone', () => {
    const { tickets } = store()
    tickets.put('a:443', ticket('one'))
    expect(name(tickets.take('a:443'))).toBe('one')
    expect(tickets.take('a:443')).toBeUndefined()
    expect(tickets.take('b:443')).toBeUndefined()
  })

  test('the newest first, several for one origin', () => {
    const { tickets } = store()
    for (const each of ['one', 'two', 'three']) tickets.put('a:443', ticket(each))
    expect(['', '', '', ''].map(() => name(tickets.take('a:443')))).toEqual(['three', 'two', 'one', undefined])
  })

  test('bounded for one origin: the oldest goes', () => {
    const { tickets } = store({ maxPerOrigin: 2 })
    for (const each of ['one', 'two', 'three']) tickets.put('a:443', ticket(each))
    expect(['', '', ''].map(() => name(tickets.take('a:443')))).toEqual(['three', 'two', undefined])
  })

  test('bounded in origins: the one used longest ago goes', () => {
    const { tickets } = store({ maxOrigins: 2 })
    tickets.put('a:443', ticket('a1'))
    tickets.put('a:443', ticket('a2'))
    tickets.put('b:443', ticket('b'))
    expect(name(tickets.take('a:443'))).toBe('a2')
    tickets.put('c:443', ticket('c'))
    expect(tickets.take('b:443')).toBeUndefined()
    expect(name(tickets.take('a:443'))).toBe('a1')
    expect(name(tickets.take('c:443'))).toBe('c')
  })

  test('the expired are passed over', () => {
    const { tickets, clock } = store()
    tickets.put('a:443', ticket('long', 60_000))
    tickets.put('a:443', ticket('short', 1000))
    clock.time += 1000
    expect(name(tickets.take('a:443'))).toBe('long')
    tickets.put('a:443', ticket('late'))
    clock.time += 60_000
    expect(tickets.take('a:443')).toBeUndefined()
  })

  test('a limit that is none is the caller fault', () => {
    expect(() => store({ maxOrigins: 0 })).toThrow(RangeError)
    expect(() => store({ maxPerOrigin: 0.5 })).toThrow(RangeError)
  })
})

test('NoTickets remembers nothing', () => {
  NoTickets.put('a:443', ticket('one'))
  expect(NoTickets.take('a:443')).toBeUndefined()
})

test('firstTickets takes from the first that has one and puts into the last', async () => {
  const [one, two] = [store().tickets, store().tickets]
  const both = firstTickets(one, two)
  one.put('a:443', ticket('first'))
  both.put('a:443', ticket('second'))
  expect(name(await both.take('a:443'))).toBe('first')
  expect(name(await both.take('a:443'))).toBe('second')
  expect(both.take('a:443')).toBeUndefined()
  // One that answers later, and has nothing.
  const late = firstTickets({ take: async () => undefined, put: () => {} }, two)
  late.put('a:443', ticket('third'))
  expect(name(await late.take('a:443'))).toBe('third')
})

test('origins are written one way', () => {
  expect(originOf('example.com', 443)).toBe('example.com:443')
  expect(originOf('::1', 4433)).toBe('[::1]:4433')
  expect(originOf('[::1]', 4433)).toBe('[::1]:4433')
})

test('MemoryTickets without a clock says what it needs', () => {
  expect(() => new MemoryTickets(undefined as unknown as () => number)).toThrow(/such as Date.now/)
})
