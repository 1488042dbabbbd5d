// What an attacker can do with a recorded first flight. Each scene says where a flight runs once, as it was meant to, and
// who gets it again; `isGuarded` false puts a gate that admits everything where the guard was.

import { nodeBackend } from 'zerotrip'
import { serverParameters } from 'zerotrip/http3'
import {
  gateFrom,
  mintTicket,
  ProvisionedClient,
  provision,
  SingleUse,
  StrikeWindow,
  TicketSealer,
} from 'zerotrip/zero-rtt'
import { ALPN, LabWorker, nothing } from './worker.mjs'

export const START = Date.UTC(2026, 10, 30)
const origin = '10.0.0.7:443'
const open = { admit: () => true }
const suite = nodeBackend.cipherSuites[0].id
const DAY = 86_400_000
const terms = { transportParameters: serverParameters(), cipherSuite: suite }

/** One instance and one client of it, whose clock is the lab's. */
function launch(isGuarded, clock) {
  const options = { backend: nodeBackend, unixTime: START, clientId: 'gateway-1', addresses: [origin], lifetime: DAY }
  const { worker, client } = provision({ ...options, ...terms, alpn: ALPN })
  const taker = new ProvisionedClient(nodeBackend, client, () => clock.now)
  return { worker: LabWorker.of(worker, isGuarded ? undefined : open), take: () => taker.take(origin) }
}

/** A server with tickets, whose early data a gate judges, and a Generator that mints them. */
function ticketed(gate, isGuarded, clock, sealerOptions) {
  const sealer = new TicketSealer(nodeBackend, sealerOptions)
  const worker = new LabWorker({ psks: sealer, earlyData: isGuarded ? gate : open })
  const take = () => mintTicket(nodeBackend, sealer, { ...terms, alpn: ALPN, appState: nothing }, clock.now)
  return { worker, take }
}

const life = { notBefore: START, expires: START + DAY }
const same = ({ worker }) => worker

/**
 * - `begin`: who the flights are for. `again`: who gets them again, made once, after they all have run.
 * - `delay`: ms until then. `isWithheld`: they have not run before. `change`: what is done to the datagrams.
 */
export const scenes = {
  'the same instance': { begin: launch, again: same },
  'the same instance, datagrams reordered': { begin: launch, again: same, change: flight => flight.toReversed() },
  'another instance': { begin: launch, again: (_, isGuarded, clock) => launch(isGuarded, clock).worker },
  'the instance restarted, with a key of its own': {
    begin: launch,
    again: (_, isGuarded, clock) => launch(isGuarded, clock).worker,
    delay: 500,
  },
  'a clone restored from a snapshot, with a bundle of its own': {
    begin: launch,
    again: (_, isGuarded, clock) => launch(isGuarded, clock).worker,
    delay: 50,
  },
  'after the key was rotated twice': {
    begin: launch,
    again: ({ worker }) => {
      for (let turn = 0; turn < 2; turn++) worker.psks.advanceEpoch(life)
      return worker
    },
  },
  'after the client was revoked, flights that never arrived': {
    begin: launch,
    isWithheld: true,
    again: ({ worker }) => {
      worker.psks.revoke('gateway-1')
      return worker
    },
  },
  'withheld for longer than early data is fresh': { begin: launch, again: same, delay: 10_001, isWithheld: true },
  'a server with tickets, single use': {
    begin: (isGuarded, clock) => ticketed(gateFrom(new SingleUse(1e6)), isGuarded, clock),
    again: same,
  },
  'a server with tickets and a window of time': {
    begin: (isGuarded, clock) => ticketed(new StrikeWindow({ limit: 1e6 }), isGuarded, clock),
    again: same,
  },
}
