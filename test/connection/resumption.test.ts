import { describe, expect, test } from 'vitest'
import { Pair } from '../sim/pair.ts'
import { resumptionOf, ticketed } from './early.ts'

describe('resumption by ticket (RFC 8446 §4.6.1)', () => {
  test('a connection hands out two tickets, and the facts to use them with', () => {
    const { first } = ticketed()
    const tickets = first.client.events.filter(event => event.type === 'ticket')
    expect(tickets.length).toBe(2)
    expect(first.client.find('ticket')?.ticket).toMatchObject({ alpn: 'test', serverName: 'localhost' })
  })

  test('the next one needs no certificate', () => {
    const { server, resumption } = ticketed()
    const pair = new Pair({ client: { resumption }, server }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: true, earlyData: 'none', certificates: [] })
    expect(pair.server.connection.peer).toMatchObject({ isResumed: true })
  })

  test('with early data, when the client wants it', () => {
    const { server, resumption } = ticketed()
    const pair = new Pair({ client: { resumption, earlyData: true }, server }).connect()
    expect(pair.client.connection.peer?.earlyData).toBe('accepted')
  })

  test('a server that was started anew falls back to its certificate', () => {
    const { resumption } = ticketed()
    const { server } = ticketed()
    const pair = new Pair({ client: { resumption, earlyData: true }, server }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: false, earlyData: 'rejected' })
  })

  test('changed application state forbids early data, not resumption', () => {
    const { server, resumption } = ticketed({ server: { appState: Uint8Array.of(1) } })
    const changed = { ...server, appState: Uint8Array.of(2) }
    const pair = new Pair({ client: { resumption, earlyData: true }, server: changed }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: true, earlyData: 'rejected' })
  })

  test('parameters that fell forbid early data, not resumption (RFC 9000 §7.4.1)', () => {
    const { server, resumption } = ticketed()
    const less = { ...server, transport: { initialMaxStreamsBidi: 2 } }
    const pair = new Pair({ client: { resumption, earlyData: true }, server: less }).connect()
    expect(pair.client.connection.peer).toMatchObject({ isResumed: true, earlyData: 'rejected' })
  })

  test('twenty generations', () => {
    let { server, resumption } = ticketed()
    for (let generation = 0; generation < 20; generation++) {
      const pair = new Pair({ client: { resumption, earlyData: true }, server }).connect()
      expect(pair.client.connection.peer).toMatchObject({ isResumed: true, earlyData: 'accepted' })
      pair.world.run(() => pair.client.has('ticket'), 5000)
      resumption = resumptionOf(pair)
    }
  })
})
