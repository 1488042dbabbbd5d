import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_PER_ORIGIN, SessionFile } from '../../src/cli/session-file.ts'
import type { Resumption } from '../../src/zero-rtt/index.ts'
import { directory } from './program.ts'

const origin = 'localhost:4433'

function ticket(name: number, more: Partial<Resumption> = {}): Resumption {
  return {
    kind: 'ticket',
    identity: Uint8Array.of(name),
    secret: new Uint8Array(32).fill(name),
    hash: 'sha256',
    cipherSuite: 0x1301,
    version: 1,
    alpn: 'h3',
    serverName: 'localhost',
    issued: Date.now(),
    lifetime: 60_000,
    ageAdd: 0,
    allowsEarlyData: true,
    transportParameters: new Uint8Array(0),
    appState: new Uint8Array(0),
    token: Uint8Array.of(1, 2, 3),
    pins: [],
    initialRtt: 5,
    ...more,
  }
}

const path = (): string => join(directory(), 'session')

function written(...tickets: readonly Resumption[]): string {
  const file = path()
  const session = new SessionFile(file, 'h3')
  for (const each of tickets) session.put(origin, each)
  session.save()
  return file
}

describe('tickets', () => {
  test('come back newest first, with everything', () => {
    const tickets = [ticket(1), ticket(2)]
    const session = new SessionFile(written(...tickets), 'h3')
    expect(session.take(origin)).toEqual(tickets[1])
    expect(session.take(origin)).toEqual(tickets[0])
    expect(session.take(origin)).toBeUndefined()
  })

  test('RFC 8446 §C.4: one that was taken is gone from the file as soon as it is saved', () => {
    const file = written(ticket(1), ticket(2))
    const session = new SessionFile(file, 'h3')
    session.take(origin)
    session.save()
    const next = new SessionFile(file, 'h3')
    expect(next.take(origin)?.identity).toEqual(Uint8Array.of(1))
    expect(next.take(origin)).toBeUndefined()
  })

  test('belong to an origin and a protocol, and expire', () => {
    const file = written(ticket(1), ticket(2, { alpn: 'hq-interop' }), ticket(3, { issued: Date.now() - 60_001 }))
    expect(new SessionFile(file, 'h3').take('localhost:4434')).toBeUndefined()
    expect(new SessionFile(file, 'h3').take(origin)?.identity).toEqual(Uint8Array.of(1))
    expect(new SessionFile(file, 'hq-interop').take(origin)?.identity).toEqual(Uint8Array.of(2))
  })

  test('are bounded: the oldest go', () => {
    const file = written(...Array.from({ length: MAX_PER_ORIGIN + 3 }, (_, i) => ticket(i)))
    const session = new SessionFile(file, 'h3')
    const names = []
    for (let each = session.take(origin); each; each = session.take(origin)) names.push(each.identity[0])
    expect(names).toEqual([6, 5, 4, 3])
  })

  test('of another process are kept', () => {
    const file = written(ticket(1))
    const [one, other] = [new SessionFile(file, 'h3'), new SessionFile(file, 'h3')]
    one.put(origin, ticket(2))
    other.put(origin, ticket(3))
    one.save()
    other.save()
    const session = new SessionFile(file, 'h3')
    expect([1, 2, 3].map(() => session.take(origin)?.identity[0])).toEqual([3, 2, 1])
  })

  test('are waited for, but not for long', async () => {
    const session = new SessionFile(path(), 'h3')
    const wait = session.nextTicket(10_000)
    session.put(origin, ticket(1))
    await wait
    expect(session.addedCount).toBe(1)
    await session.nextTicket(1)
  })
})

describe('the file', () => {
  test('is for its owner alone, and nothing else is left behind', () => {
    const file = written(ticket(1))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(file, '..'))).toEqual(['session'])
  })

  test('is not made while there is nothing to keep', () => {
    const file = path()
    const session = new SessionFile(file, 'h3')
    expect(session.take(origin)).toBeUndefined()
    session.save()
    expect(existsSync(file)).toBe(false)
  })

  test('may be empty at first', () => {
    const file = path()
    writeFileSync(file, '')
    expect(new SessionFile(file, 'h3').take(origin)).toBeUndefined()
  })

  test.each([
    'no JSON',
    '{}',
    'null',
    '{"format":"zerotrip session","version":2,"tickets":[]}',
    '{"format":"zerotrip session","version":1,"tickets":[null]}',
    '{"format":"zerotrip session","version":1,"tickets":[{"origin":"a:1","resumption":"AAAA"}]}',
    '{"format":"zerotrip session","version":1,"tickets":[{"origin":1,"resumption":"AAAA"}]}',
  ])('that is something else stays as it is: %s', text => {
    const file = path()
    writeFileSync(file, text)
    expect(() => new SessionFile(file, 'h3')).toThrow(`${file} is no session file of this version`)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('that cannot be written or read says so', () => {
    const session = new SessionFile(join(directory(), 'no', 'such'), 'h3')
    session.put(origin, ticket(1))
    expect(() => session.save()).toThrow('no such file or directory')
    expect(() => new SessionFile(directory(), 'h3')).toThrow('it is a directory')
  })
})
