// Provisioned and sealed PSKs through a real TLS handshake: what this room derives is what TLS verifies.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import type { EarlyDataGate, PskSource, TicketIssuer } from '../../src/tls13/ports.ts'
import { startClient, startServer, type TlsOutput, type TlsSession } from '../../src/tls13/session.ts'
import { StrikeWindow } from '../../src/zero-rtt/anti-replay.ts'
import { provision } from '../../src/zero-rtt/generator.ts'
import { ProvisionedClient } from '../../src/zero-rtt/provisioned-client.ts'
import { ProvisionedServer } from '../../src/zero-rtt/provisioned-server.ts'
import { gateByKind } from '../../src/zero-rtt/psk-sources.ts'
import { writeRemembered } from '../../src/zero-rtt/remembered-parameters.ts'
import { offeredPsk, type Resumption, resumptionFromTicket } from '../../src/zero-rtt/resumption.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { parameters, START } from './support.ts'

const ORIGIN = '10.0.0.7:443'
const transportParameters = writeRemembered(parameters)
const noCertificate = { select: () => undefined }
const trustNobody = {
  verify: () => {
    throw new Error('no certificate was expected')
  },
}

function drain(session: TlsSession): TlsOutput[] {
  const outputs: TlsOutput[] = []
  if (session.isFlightDue) session.makeFlight()
  for (let output = session.poll(); output !== undefined; output = session.poll()) outputs.push(output)
  return outputs
}

function client(resumption: Resumption, unixTime: number): TlsSession {
  return startClient(
    {
      backend: nodeBackend,
      serverName: 'worker.internal',
      alpn: ['h3'],
      transportParameters: new Uint8Array(0),
      verifier: trustNobody,
      psk: offeredPsk(resumption, unixTime, true),
    },
    unixTime,
  )
}

function server(psks: PskSource, earlyData: EarlyDataGate, tickets?: TicketIssuer): TlsSession {
  return startServer({
    backend: nodeBackend,
    alpn: ['h3'],
    transportParameters,
    certificates: noCertificate,
    psks,
    earlyData,
    tickets,
    ticketCount: 1,
    appState: new Uint8Array(0),
    ticketTerms: true,
  })
}

/** All outputs of both sides, until nobody has anything to say. */
function run(ours: TlsSession, theirs: TlsSession, unixTime: number): { ours: TlsOutput[]; theirs: TlsOutput[] } {
  const said = { ours: [] as TlsOutput[], theirs: [] as TlsOutput[] }
  for (let turn = 0; turn < 6; turn++) {
    for (const [from, to, into] of [
      [ours, theirs, said.ours],
      [theirs, ours, said.theirs],
    ] as const) {
      for (const output of drain(from)) {
        into.push(output)
        if (output.type === 'send') to.receive(output.level, output.bytes, unixTime)
      }
    }
  }
  return said
}

const isAccepted = (outputs: TlsOutput[]) => outputs.some(output => output.type === 'earlyData' && output.accepted)
const earlySecret = (outputs: TlsOutput[]) =>
  outputs.find(output => output.type === 'secret' && output.level === Level.ZeroRtt)

describe('RFC 9258: an imported PSK from a bundle', () => {
  const make = () => {
    const bundles = provision({
      backend: nodeBackend,
      unixTime: START,
      clientId: 'gateway',
      addresses: [ORIGIN],
      transportParameters,
      cipherSuite: 0x1301,
      serverName: 'worker.internal',
    })
    const provisioned = new ProvisionedClient(nodeBackend, bundles.client, () => START)
    return { ...bundles, provisioned, worker: new ProvisionedServer(nodeBackend, bundles.worker) }
  }

  test('early data is accepted without any connection before, and both sides complete', () => {
    const { provisioned, worker } = make()
    const ours = client(provisioned.take(ORIGIN) as Resumption, START)
    const theirs = server(worker, worker)
    const said = run(ours, theirs, START)
    expect(isAccepted(said.ours) && isAccepted(said.theirs)).toBe(true)
    expect(earlySecret(said.theirs)).toMatchObject({
      secret: (earlySecret(said.ours) as { secret: Uint8Array }).secret,
    })
    expect(ours.isComplete && theirs.isComplete).toBe(true)
    expect(said.theirs.find(output => output.type === 'complete')).toMatchObject({ psk: { clientId: 'gateway' } })
  })

  test('the same ClientHello again is answered, its early data refused', () => {
    const { provisioned, worker } = make()
    const hello = drain(client(provisioned.take(ORIGIN) as Resumption, START)).find(output => output.type === 'send')
    const accepted = [0, 1].map(() => {
      const theirs = server(worker, worker)
      if (hello?.type === 'send') theirs.receive(hello.level, hello.bytes, START)
      return isAccepted(drain(theirs))
    })
    expect(accepted).toEqual([true, false])
  })

  test('too late: the handshake completes on the PSK, without early data', () => {
    const { provisioned, worker } = make()
    const ours = client(provisioned.take(ORIGIN) as Resumption, START)
    const theirs = server(worker, worker)
    const said = run(ours, theirs, START + 30_000)
    expect(isAccepted(said.theirs) || isAccepted(said.ours)).toBe(false)
    expect(ours.isComplete && theirs.isComplete).toBe(true)
  })

  test('by default nothing early is accepted', () => {
    const { provisioned, worker } = make()
    const said = run(client(provisioned.take(ORIGIN) as Resumption, START), server(worker, gateByKind({})), START)
    expect(isAccepted(said.theirs)).toBe(false)
  })
})

test('RFC 8446 §8.3: a sealed ticket resumes with early data, once', () => {
  const bundles = provision({
    backend: nodeBackend,
    unixTime: START,
    clientId: 'gateway',
    addresses: [ORIGIN],
    transportParameters,
    serverName: 'worker.internal',
  })
  const worker = new ProvisionedServer(nodeBackend, bundles.worker)
  const sealer = new TicketSealer(nodeBackend)
  const first = new ProvisionedClient(nodeBackend, bundles.client, () => START).take(ORIGIN) as Resumption
  const said = run(client(first, START), server(worker, worker, sealer), START)
  const ticket = said.ours.find(output => output.type === 'ticket')
  if (ticket?.type !== 'ticket') throw new Error('no ticket')

  const resumption = resumptionFromTicket(
    {
      ticket: ticket.ticket,
      secret: ticket.secret,
      hash: ticket.hash,
      cipherSuite: ticket.cipherSuite,
      lifetimeSeconds: ticket.lifetimeSeconds,
      ageAdd: ticket.ageAdd,
      alpn: 'h3',
      serverName: 'worker.internal',
      allowsEarlyData: ticket.allowsEarlyData,
      transportParameters,
    },
    { version: 1, appState: new Uint8Array(0), token: new Uint8Array(0), pins: [], initialRtt: undefined },
    START,
  )
  const gate = new StrikeWindow()
  const later = START + 120_000
  const hello = drain(client(resumption, later)).find(output => output.type === 'send')
  const accepted = [0, 1, 2].map(turn => {
    const theirs = server(sealer, gate)
    if (hello?.type === 'send') theirs.receive(hello.level, hello.bytes, later + turn)
    return isAccepted(drain(theirs))
  })
  expect(accepted).toEqual([true, false, false])
})
