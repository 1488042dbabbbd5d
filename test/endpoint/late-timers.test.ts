// A process that stood still, because it computed or because the machine did: what came meanwhile came in time.

import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import type { QuicSession } from '../../src/endpoint/quic-session.ts'
import { client, closing, eventually, server, text } from './helpers.ts'

const IDLE = 2000
/** What the relay does, in a thread of its own: it goes on when this one stands still. */
const Step = { Passes: 0, Holds: 1, Held: 2, Sent: 3 } as const

const relay = `
const { createSocket } = require('node:dgram')
const { parentPort, workerData: { step, to } } = require('node:worker_threads')
const [outside, inside] = [createSocket('udp4'), createSocket('udp4')]
let client
outside.on('message', (bytes, from) => {
  client = from
  inside.send(bytes, to.port, to.host)
})
inside.on('message', bytes => {
  const pass = done => outside.send(bytes, client.port, client.address, done)
  if (step[0] === ${Step.Passes}) return pass()
  if (step[0] !== ${Step.Holds}) return
  step[0] = ${Step.Held}
  setTimeout(pass, 100, () => {
    step[0] = ${Step.Sent}
    Atomics.notify(step, 0)
  })
})
inside.bind(0, '127.0.0.1', () => outside.bind(0, '127.0.0.1', () => parentPort.postMessage(outside.address().port)))
`

test('RFC 9000 §10.1: a peer that spoke in time is not idle, although nobody looked until it was late', async () => {
  const sessions: QuicSession[] = []
  const { address } = await server(session => sessions.push(session))
  const step = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(relay, { eval: true, workerData: { step, to: address } })
  closing({ close: () => worker.terminate() })
  const port = await new Promise<number>(resolve => worker.once('message', resolve))
  const near = client({ host: '127.0.0.1', port }, { transport: { maxIdleTimeout: IDLE, initialRtt: 10 } })
  await near.confirmed
  const stream = await (sessions[0] as QuicSession).openStream({ direction: 'uni' })
  step[0] = Step.Holds
  stream.end('in time')
  expect(await eventually(() => step[0] === Step.Held)).toBe(true)
  // From here the loop would come to its timers first.
  await new Promise(setImmediate)
  Atomics.wait(step, 0, Step.Held)
  // Nothing is done, and nothing is read, until it is later than the timeout.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.1 * IDLE)
  const heard: string[] = []
  for await (const incoming of near.streams) heard.push(text(await incoming.bytes()))
  expect(heard).toEqual(['in time'])
})
