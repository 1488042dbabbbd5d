// npm run demo: a worker that nobody has ever contacted answers in its first packet, next to five other ways to ask.
//
//     npm run demo -- [--samples N]
//     npm run --silent demo -- --json

import { parseArgs } from 'node:util'
import { firstPacket, greeting, Progress, replayed, table } from './report.mjs'
import { firstContact, newWorker, race, rehearse, replays } from './scenes.mjs'

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, samples: { type: 'string', default: '60' } },
})
const samples = Number(values.samples)
if (!Number.isInteger(samples) || samples < 1) {
  console.error(`demo: --samples wants a number of connections, not '${values.samples}'`)
  process.exit(2)
}

const say = text => {
  if (!values.json) console.log(text)
}
const progress = new Progress()
const workers = []

try {
  say(greeting(samples))
  // The gateway has worked before, as gateways have; the worker it will launch has not.
  const other = (await newWorker()).worker
  workers.push(other)
  await rehearse(other)

  const started = await newWorker()
  const { worker } = started
  workers.push(worker)
  const first = await firstContact(worker, 'first-contact')
  say(firstPacket(started, first))

  const raced = await race(worker, samples, part => progress.show('measuring', part))
  progress.clear()
  say(table(raced))

  // One that is as old as the demo, and one a moment old.
  const contacts = [first, await firstContact(worker, 'recorded-client')]
  const attacked = await replays(contacts, worker, other)
  say(replayed(attacked, contacts.length))

  const { sent, executed } = attacked
  if (values.json) console.log(JSON.stringify({ variants: raced.measured, replays: { sent, executed } }))
  if (executed !== 0 || first.earlyData !== 'accepted') process.exitCode = 1
} finally {
  progress.clear()
  await Promise.all(workers.map(worker => worker.stop()))
}
