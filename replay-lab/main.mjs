// npm run replay-lab -- [--flights 20000] [--json]: recorded first flights, again and again, wherever an attacker could
// send them; and the same with the guard taken out, which shows that the lab would notice.

import { parseArgs } from 'node:util'
import { record } from './flights.mjs'
import { START, scenes } from './scenes.mjs'
import { count } from './worker.mjs'

const { values } = parseArgs({
  options: { flights: { type: 'string', default: '20000' }, json: { type: 'boolean', default: false } },
})
const flights = Number(values.flights)
const names = Object.keys(scenes)
if (!Number.isInteger(flights) || flights < names.length) {
  console.error(`replay-lab: --flights wants a number from ${names.length} on, not '${values.flights}'`)
  process.exit(2)
}

/** Flights that are recorded before they are sent again. */
const BATCH = 500
/** So many without the guard: that it matters shows early. */
const CONTROL_SHARE = 10

function play(total, isGuarded, onProgress) {
  const refusedBy = new Map()
  const rows = []
  names.forEach((name, i) => {
    const share = Math.floor(total / names.length) + (i < total % names.length ? 1 : 0)
    const row = { name, sent: 0, executed: 0 }
    while (row.sent < share) {
      act(scenes[name], Math.min(BATCH, share - row.sent), isGuarded, row, refusedBy)
      onProgress((i + row.sent / share) / names.length)
    }
    rows.push(row)
  })
  const sum = key => rows.reduce((all, row) => all + row[key], 0)
  return { rows, sent: sum('sent'), executed: sum('executed'), refusedBy }
}

function act(
  { begin, again, delay = 0, isWithheld = false, change = flight => flight },
  size,
  isGuarded,
  row,
  refusedBy,
) {
  const clock = { now: START + 1000 }
  const first = begin(isGuarded, clock)
  const recorded = Array.from({ length: size }, () => record(first.take(), clock.now))
  if (!isWithheld) for (const { flight } of recorded) first.worker.take(flight, clock.now)
  const meant = isWithheld ? 0 : 1
  for (const { request } of recorded) {
    const runs = first.worker.runs.get(request) ?? 0
    if (runs !== meant) throw new Error(`a request that was meant to run ${meant} times ran ${runs} times`)
  }
  clock.now += delay
  const target = again(first, isGuarded, clock)
  const before = new Map(target.runs)
  target.refusals.clear()
  for (const { flight } of recorded) target.take(change(flight), clock.now)
  row.sent += size
  for (const { request } of recorded) row.executed += (target.runs.get(request) ?? 0) - (before.get(request) ?? 0)
  for (const [reason, times] of target.refusals) count(refusedBy, reason, times)
}

function progress(what) {
  return share => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${share === 1 ? '' : `${what} ${Math.round(share * 100)} %`}`)
  }
}

const guarded = play(flights, true, progress('replaying'))
const control = play(Math.max(names.length, Math.floor(flights / CONTROL_SHARE)), false, progress('without the guard'))
const isProven = guarded.executed === 0 && control.executed > 0

if (values.json) {
  const { sent, executed, refusedBy } = guarded
  const guardRemoved = { sent: control.sent, executed: control.executed }
  console.log(JSON.stringify({ sent, executed, refusedBy: Object.fromEntries(refusedBy), control: { guardRemoved } }))
} else {
  const line = ({ name, sent, executed }, i) =>
    `${name.padEnd(62)}${String(sent).padStart(8)}${String(executed).padStart(10)}${String(control.rows[i].executed).padStart(12)} of ${control.rows[i].sent}`
  console.log(
    `${'first flights, again'.padEnd(62)}${'sent'.padStart(8)}${'executed'.padStart(10)}${'no guard'.padStart(12)}`,
  )
  console.log(guarded.rows.map(line).join('\n'))
  console.log(`${'all'.padEnd(62)}${String(guarded.sent).padStart(8)}${String(guarded.executed).padStart(10)}`)
  console.log(`refused: ${[...guarded.refusedBy].map(([reason, times]) => `${times} ${reason}`).join(', ')}`)
  console.log(isProven ? 'none ran twice, and without the guard they do' : 'NOT proven')
}
process.exitCode = isProven ? 0 : 1
