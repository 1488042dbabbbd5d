import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { TicketState } from '../../src/tls13/ports.ts'
import { SealingKeys } from '../../src/zero-rtt/sealing-keys.ts'
import { MAX_TICKET_LENGTH, TicketPsk, TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { bytesOf, START } from './support.ts'

const state: TicketState = {
  secret: new Uint8Array(32).fill(5),
  hash: 'sha256',
  issued: START,
  terms: { cipherSuite: 0x1301, alpn: 'h3', serverName: 'example.com', transportParameters: Uint8Array.of(4, 1, 9) },
  appState: bytesOf('settings'),
}

function issued(sealer: TicketSealer, changes: Partial<TicketState> = {}) {
  const ticket = sealer.issue({ ...state, ...changes })
  if (ticket === undefined) throw new Error('no ticket')
  return ticket
}

/** ms of the ticket's age, as a client sends it. */
const age = (ageAdd: number, elapsed: number) => (elapsed + ageAdd) % 2 ** 32

describe('tickets', () => {
  test('come back with all they were given', () => {
    const sealer = new TicketSealer(nodeBackend)
    const { ticket, ageAdd, lifetimeSeconds } = issued(sealer)
    const psk = sealer.find(ticket, age(ageAdd, 2500), START + 2600)
    expect(psk).toBeInstanceOf(TicketPsk)
    expect(psk).toMatchObject({ kind: 'resumption', hash: 'sha256', issued: START, claimedAge: 2500 })
    expect(psk?.secret).toEqual(state.secret)
    expect(psk?.earlyData).toEqual(state.terms)
    expect(psk?.appState).toEqual(state.appState)
    expect(psk?.expires).toBe(START + lifetimeSeconds * 1000)
  })

  test('SHA-384 secrets, no terms, no server name', () => {
    const sealer = new TicketSealer(nodeBackend)
    const { ticket } = issued(sealer, { secret: new Uint8Array(48).fill(1), hash: 'sha384', terms: undefined })
    expect(sealer.find(ticket, 0, START)).toMatchObject({ hash: 'sha384', earlyData: undefined })
  })

  test('RFC 8446 §4.6.1: ticket_age_add is fresh for each ticket, and so is the ticket', () => {
    const sealer = new TicketSealer(nodeBackend)
    const tickets = Array.from({ length: 20 }, () => issued(sealer))
    expect(new Set(tickets.map(ticket => ticket.ageAdd)).size).toBe(20)
    expect(new Set(tickets.map(({ ticket }) => Buffer.from(ticket).toString('hex'))).size).toBe(20)
    for (const { ageAdd } of tickets) expect(Number.isInteger(ageAdd) && ageAdd >= 0 && ageAdd < 2 ** 32).toBe(true)
  })

  test('expire', () => {
    const sealer = new TicketSealer(nodeBackend, { lifetimeSeconds: 10 })
    const { ticket, lifetimeSeconds } = issued(sealer)
    expect(lifetimeSeconds).toBe(10)
    expect(sealer.find(ticket, 0, START + 9999)).toBeDefined()
    expect(sealer.find(ticket, 0, START + 10_000)).toBeUndefined()
  })

  test('altered, cut short or foreign are unknown', () => {
    const sealer = new TicketSealer(nodeBackend)
    const { ticket } = issued(sealer)
    for (let at = 0; at < ticket.length; at++) {
      const altered = ticket.slice()
      altered[at] = (altered[at] as number) ^ 0x80
      expect(sealer.find(altered, 0, START)).toBeUndefined()
      expect(sealer.find(ticket.subarray(0, at), 0, START)).toBeUndefined()
    }
    expect(new TicketSealer(nodeBackend).find(ticket, 0, START)).toBeUndefined()
    expect(sealer.find(new Uint8Array(MAX_TICKET_LENGTH + 1), 0, START)).toBeUndefined()
  })

  test('too large for the first datagram are not issued', () => {
    const sealer = new TicketSealer(nodeBackend)
    expect(sealer.issue({ ...state, appState: new Uint8Array(MAX_TICKET_LENGTH) })).toBeUndefined()
  })

  test('RFC 8446 §4.6.1: seven days at most', () => {
    for (const lifetimeSeconds of [0, 1.5, 604_801]) {
      expect(() => new TicketSealer(nodeBackend, { lifetimeSeconds })).toThrow(RangeError)
    }
    expect(new TicketSealer(nodeBackend, { lifetimeSeconds: 604_800 })).toBeDefined()
  })
})

describe('rotation', () => {
  test('tickets of the key before still open, those of the one before that no longer', () => {
    const sealer = new TicketSealer(nodeBackend)
    const { ticket } = issued(sealer)
    sealer.rotate()
    expect(sealer.find(ticket, 0, START)).toBeDefined()
    const second = issued(sealer).ticket
    sealer.rotate()
    expect(sealer.find(ticket, 0, START)).toBeUndefined()
    expect(sealer.find(second, 0, START)).toBeDefined()
  })

  test('a key of our own is replaced by itself, and every living ticket still opens', () => {
    const sealer = new TicketSealer(nodeBackend, { lifetimeSeconds: 7200 })
    const { ticket } = issued(sealer)
    const id = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).toString('hex')
    const later = issued(sealer, { issued: START + 7_199_000 })
    expect(id(later.ticket)).toBe(id(ticket))
    const last = issued(sealer, { issued: START + 7_200_000 })
    expect(id(last.ticket)).not.toBe(id(ticket))
    expect(sealer.find(later.ticket, 0, START + 7_200_000)).toBeDefined()
  })

  test('servers that share keys open each other tickets; the first key seals', () => {
    const [old, fresh] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const one = new TicketSealer(nodeBackend, { keys: [old] })
    const two = new TicketSealer(nodeBackend, { keys: [fresh, old] })
    const three = new TicketSealer(nodeBackend, { keys: [fresh] })
    expect(two.find(issued(one).ticket, 0, START)?.secret).toEqual(state.secret)
    expect(three.find(issued(two).ticket, 0, START)).toBeDefined()
    expect(one.find(issued(two).ticket, 0, START)).toBeUndefined()
    one.rotate(fresh)
    expect(three.find(issued(one).ticket, 0, START)).toBeDefined()
  })

  test('shared keys do not rotate by themselves', () => {
    const sealer = new TicketSealer(nodeBackend, { keys: [new Uint8Array(32)] })
    const { ticket } = issued(sealer)
    for (let day = 1; day < 4; day++) issued(sealer, { issued: START + day * 86_400_000 })
    expect(sealer.find(ticket, 0, START)).toBeDefined()
  })

  test('one key for two purposes is two keys', () => {
    const keys = [new Uint8Array(32).fill(3)]
    const sealed = new SealingKeys(nodeBackend, 'one', { keys }).seal(bytesOf('x'), new Uint8Array(0), START)
    expect(new SealingKeys(nodeBackend, 'two', { keys }).open(sealed, new Uint8Array(0))).toBeUndefined()
    expect(new SealingKeys(nodeBackend, 'one', { keys }).open(sealed, bytesOf('other'))).toBeUndefined()
    expect(new SealingKeys(nodeBackend, 'one', { keys }).open(sealed, new Uint8Array(0))).toEqual(bytesOf('x'))
  })

  test('no key and a short key are the caller fault', () => {
    expect(() => new SealingKeys(nodeBackend, 'x', { keys: [] })).toThrow(RangeError)
    expect(() => new SealingKeys(nodeBackend, 'x', { keys: [new Uint8Array(31)] })).toThrow(RangeError)
  })
})

describe('RFC 8446 §8.2: one place is authoritative for a ticket', () => {
  test('at another replica a ticket resumes without early data', () => {
    const keys = [new Uint8Array(32).fill(4)]
    const here = new TicketSealer(nodeBackend, { keys, replica: bytesOf('a') })
    const there = new TicketSealer(nodeBackend, { keys, replica: bytesOf('b') })
    const { ticket } = issued(here)
    expect(here.find(ticket, 0, START)?.earlyData).toEqual(state.terms)
    expect(there.find(ticket, 0, START)?.secret).toEqual(state.secret)
    expect(there.find(ticket, 0, START)?.earlyData).toBeUndefined()
  })
})
