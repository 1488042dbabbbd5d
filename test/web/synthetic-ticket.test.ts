// Sessions that no session gave: minted by whoever has the ticket key, written out and read in again.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { serverParameters, serverSettings } from '../../src/web/settings.ts'
import { gateFrom, SingleUse } from '../../src/zero-rtt/anti-replay.ts'
import { readResumption, resumptionFromJson, resumptionToJson, writeResumption } from '../../src/zero-rtt/resumption.ts'
import { mintTicket } from '../../src/zero-rtt/synthetic-ticket.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { MemoryTickets } from '../../src/zero-rtt/ticket-store.ts'
import { session, site } from './helpers.ts'

const key = nodeBackend.random(32)
const replica = new TextEncoder().encode('worker-1')
const generator = new TicketSealer(nodeBackend, { keys: [key], replica })
const authorization = { peer: 'gateway-1', edge: 'a>b', epoch: 2 }
const mint = (changes = {}) =>
  mintTicket(
    nodeBackend,
    generator,
    { transportParameters: serverParameters(), appState: serverSettings(), authorization, ...changes },
    Date.now(),
  )

describe('a synthetic ticket', () => {
  test('a worker that nobody has contacted answers in its first flight to a client that knows tickets alone', async () => {
    const names: unknown[] = []
    const { url } = await site(request => new Response(`${request.early}`), {
      tickets: new TicketSealer(nodeBackend, { keys: [key], replica }),
      earlyData: gateFrom(new SingleUse(), { startedAt: Date.now() - 1000 }),
      authorize: ({ psk }) => {
        names.push(psk.authorization)
        return psk.authorization ?? 'anyone'
      },
    })
    const tickets = new MemoryTickets(Date.now)
    // On its way it is text.
    tickets.put(new URL(url).host, resumptionFromJson(resumptionToJson(mint())))
    const near = session(url, { tickets, earlyData: true })
    expect(await (await near.fetch('/')).text()).toBe('true')
    expect((await near.opened).earlyData).toBe('accepted')
    expect(near.session.peer?.authorization).toEqual(authorization)
    expect(names).toEqual([authorization])
  })

  test('without early data it resumes', async () => {
    const { url } = await site(request => new Response(`${request.early}`), {
      tickets: new TicketSealer(nodeBackend, { keys: [key], replica }),
    })
    const tickets = new MemoryTickets(Date.now)
    tickets.put(new URL(url).host, mint({ allowsEarlyData: false }))
    const near = session(url, { tickets, earlyData: true })
    expect(await (await near.fetch('/')).text()).toBe('false')
    expect((await near.opened).isResumed).toBe(true)
  })

  test('is exported and imported in two forms, strictly', () => {
    const ticket = mint()
    expect(readResumption(writeResumption(ticket))).toEqual(resumptionFromJson(resumptionToJson(ticket)))
    expect(() => resumptionFromJson(resumptionToJson(ticket).replace('"kind"', '"kinds"'))).toThrow(TypeError)
  })

  test('what cannot be one', () => {
    expect(() => mint({ cipherSuite: 1 })).toThrow('is not known')
    expect(() => mint({ appState: new Uint8Array(2000) })).toThrow('does not fit a ticket')
  })
})
