// What the demo does, without a word of output: each scene returns what happened.

import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { launch } from '@zerotrip/faas/generator'
import { connect } from 'zerotrip/http3'
import { measure } from '../bench/first-request/measure.mjs'
import { reportOf, Variants } from '../bench/first-request/variants.mjs'
import { packetKinds, Relay, replay } from './relay.mjs'

const handler = fileURLToPath(new URL('../bench/first-request/function.mjs', import.meta.url))

/** Replays of each flight to each worker. */
const REPLAYS = 5

/** Rounds after which the code of this process is no longer cold. */
const REHEARSALS = 20

/** Rounds until both processes have compiled their code. */
const WARM_UP = 250

/** A process nobody has ever contacted; who launches it holds the other half of its key. */
export async function newWorker() {
  const begun = performance.now()
  const worker = await launch({ handler, clientId: 'gateway', tcp: true, tls: true })
  return { worker, startMs: performance.now() - begun }
}

/** A few contacts of every kind with a worker that is not the one to be shown. */
export async function rehearse(worker) {
  const variants = new Variants(worker)
  await measure(variants, { samples: REHEARSALS, warmUp: 0 })
  await variants.close()
}

/** One early request through a relay that listens in. */
export async function firstContact(worker, clientId) {
  const { host, port } = worker.announcement
  const relay = await Relay.open(port)
  const path = `/order/${randomUUID()}`
  const bundle = worker.clientFor(clientId, [relay.origin])
  const begun = performance.now()
  const session = connect(`https://${relay.origin}`, { bundle, earlyData: true })
  const response = await session.fetch(path)
  await response.arrayBuffer()
  const ms = performance.now() - begun
  const { earlyData } = await session.opened
  const before = await reportOf({ host, port }, path)
  await session.session.confirmed
  await session.close()
  const flight = relay.firstFlight
  relay.close()
  const { cipherSuite, group } = session.session.peer
  return {
    path,
    ms,
    flight,
    earlyData,
    cipherSuite,
    group,
    kinds: packetKinds(flight[0]),
    executed: before.runs,
    early: before.early,
  }
}

/** All six variants, in turns. */
export async function race(worker, samples, onProgress) {
  const variants = new Variants(worker)
  try {
    const measured = await measure(variants, { samples, warmUp: WARM_UP, onProgress })
    return { measured, seen: await variants.report() }
  } finally {
    await variants.close()
  }
}

/** Every flight again, from another port, to the worker it was meant for and to another one. */
export async function replays(contacts, worker, other) {
  const targets = await Promise.all([worker, other].map(target => attack(contacts, target)))
  // Each of them ran once, where it was meant to: that is not the replay's doing.
  targets[0].executed -= contacts.length
  return {
    same: targets[0],
    other: targets[1],
    sent: targets[0].sent + targets[1].sent,
    executed: targets[0].executed + targets[1].executed,
  }
}

async function attack(contacts, worker) {
  const { host, port } = worker.announcement
  const attempts = contacts.flatMap(contact => Array.from({ length: REPLAYS }, () => replay(contact.flight, port)))
  const answers = await Promise.all(attempts)
  const reports = await Promise.all(contacts.map(contact => reportOf({ host, port }, contact.path)))
  return {
    pid: worker.process.pid,
    sent: attempts.length,
    answered: answers.filter(count => count > 0).length,
    executed: reports.reduce((sum, report) => sum + report.runs, 0),
  }
}
