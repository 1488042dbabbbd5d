// A ticket does not outlive the certificate that proved the server, however often it is renewed by resumption.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { verifyChain } from '../../src/tls13/certificate-policy.ts'
import type { CertificateVerifier } from '../../src/tls13/ports.ts'
import { endOf, parseCertificate } from '../../src/x509/certificate.ts'
import { ChainVerifier } from '../../src/x509/chain.ts'
import {
  isExpired,
  offeredPsk,
  type Resumption,
  readResumption,
  resumptionFromTicket,
  writeResumption,
} from '../../src/zero-rtt/resumption.ts'
import { TICKET_LIFETIME, TicketPsk, TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { Pipe } from '../tls13/support.ts'
import { chainOf } from '../x509/scenarios.ts'

const leafEnd = endOf(parseCertificate(p256.chain[0] as Uint8Array))
const company = { version: 1, appState: new Uint8Array(0), token: new Uint8Array(0), pins: [], initialRtt: undefined }

/** What the client keeps of a connection at `time`, which may resume an earlier one. */
function visit(
  tickets: TicketSealer,
  time: number,
  options: { readonly with?: Resumption; readonly verifier?: CertificateVerifier } = {},
): { kept: Resumption[]; isResumed: boolean; psk: TicketPsk | undefined } {
  const psk = options.with && offeredPsk(options.with, time, false)
  const verifier = options.verifier ?? verifyChain(nodeBackend, [caDer])
  const pipe = new Pipe({ psk, verifier }, { tickets, psks: tickets })
  pipe.time = time
  pipe.run()
  const facts = { alpn: 'h3', serverName: 'localhost', transportParameters: new Uint8Array(0) }
  const kept = pipe.outputs('client', 'ticket').map(({ type: _, ...ticket }) => {
    return resumptionFromTicket({ ...ticket, ...facts }, company, time)
  })
  const { isResumed, psk: used } = pipe.complete('server')
  return { kept, isResumed, psk: used instanceof TicketPsk ? used : undefined }
}

test('RFC 5280 §6.1: a path is good until the first of its certificates expires, the root included', () => {
  const names = 'under-lower lower middle'
  const ends = chainOf(`${names} ca`).map(der => endOf(parseCertificate(der)))
  const verifier = new ChainVerifier(nodeBackend, chainOf('ca'))
  expect(verifier.verify(chainOf(names), 'host.example.test', testTime)).toBe(Math.min(...ends))
})

describe('the server', () => {
  test('RFC 8446 §4.6.1: a certificate that ends first ends the ticket', () => {
    const [kept] = visit(new TicketSealer(nodeBackend), leafEnd - 100_500).kept
    expect(kept?.lifetime).toBe(100_000)
  })

  test('one that lives for longer does not lengthen it', () => {
    const [kept] = visit(new TicketSealer(nodeBackend), testTime).kept
    expect(kept?.lifetime).toBe(TICKET_LIFETIME * 1000)
  })

  test('in the last second of the certificate there is no ticket', () => {
    expect(visit(new TicketSealer(nodeBackend), leafEnd - 900).kept).toEqual([])
  })

  test('resumption does not renew what only the certificate can', () => {
    const tickets = new TicketSealer(nodeBackend)
    const [first] = visit(tickets, leafEnd - 100_000).kept
    const second = visit(tickets, leafEnd - 30_000, { with: first as Resumption })
    expect(second.isResumed).toBe(true)
    expect(second.psk?.authenticatedUntil).toBe(leafEnd)
    expect(second.kept.map(({ lifetime }) => lifetime)).toEqual([30_000, 30_000])
  })

  test('a sealer that is told of an end in the past issues nothing', () => {
    const state = { secret: new Uint8Array(32), hash: 'sha256', issued: testTime, terms: undefined } as const
    const issue = (end: number) =>
      new TicketSealer(nodeBackend).issue({ ...state, appState: new Uint8Array(0), authenticatedUntil: end })
    expect(issue(testTime - 1)).toBeUndefined()
    expect(issue(testTime + 999)).toBeUndefined()
    expect(issue(testTime + 1000)?.lifetimeSeconds).toBe(1)
  })
})

describe('the client', () => {
  /** Trusts for ten seconds: an intermediate that ends before the leaf, which the server need not know. */
  const briefly = (time: number): CertificateVerifier => ({ verify: () => time + 10_000 })

  test('keeps a ticket no longer than the chain it has verified, whatever the server says', () => {
    const [kept] = visit(new TicketSealer(nodeBackend), testTime, { verifier: briefly(testTime) }).kept as [Resumption]
    expect(kept.lifetime).toBe(10_000)
    expect(isExpired(kept, testTime + 9_999)).toBe(false)
    expect(offeredPsk(kept, testTime + 10_000, true)).toBeUndefined()
  })

  test('nor the tickets of connections that were resumed with it, also after it was stored', () => {
    const tickets = new TicketSealer(nodeBackend)
    const [first] = visit(tickets, testTime, { verifier: briefly(testTime) }).kept as [Resumption]
    const stored = readResumption(writeResumption(first))
    const second = visit(tickets, testTime + 4_000, { with: stored, verifier: briefly(testTime + 4_000) })
    expect(second.isResumed).toBe(true)
    expect(second.kept.map(({ lifetime }) => lifetime)).toEqual([6_000, 6_000])
    expect(second.kept[0]?.authenticatedUntil).toBe(testTime + 10_000)
  })

  test('what a verifier returns that is no time counts as nothing', () => {
    const verifier = { verify: () => 'trusted' as unknown as number }
    const [kept] = visit(new TicketSealer(nodeBackend), testTime, { verifier }).kept
    expect(kept?.lifetime).toBe(TICKET_LIFETIME * 1000)
  })

  test('a verifier that knows no end leaves the lifetime to the server', () => {
    const verifier = { verify: () => undefined }
    const [kept] = visit(new TicketSealer(nodeBackend), testTime, { verifier }).kept
    expect(kept).toMatchObject({ lifetime: TICKET_LIFETIME * 1000, authenticatedUntil: undefined })
  })
})
