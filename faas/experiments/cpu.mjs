// What a request costs in CPU time at both ends, over loopback: where both cores are busy with something else, clocks say
// less than this.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Child } from '../../bench/lib/children.mjs'
import { median } from '../../bench/lib/statistics.mjs'
import { inTurns } from '../../bench/lib/turns.mjs'
import { handlerOf } from './lib/calls.mjs'
import { systems } from './lib/systems.mjs'

const HOST = '127.0.0.1'
const PATH = '/function/echo/'
const MEGABYTE = `${PATH}?bytes=1000000`
const BODY = 'x'.repeat(100)

const rowsOf = (names, what, rest) => names.map(system => ({ key: `${what} ${system}`, system, what, ...rest }))

/** `pause`: ms in which what comes after an answer has come, and a connection has ended. */
const ROWS = [
  ...rowsOf(['tcp', 'tls13', 'tls13-resumed', 'quic-0rtt-store', 'quic-0rtt'], 'GET', { path: PATH, pause: 2 }),
  ...rowsOf(['tls13', 'quic-post1rtt', 'quic-0rtt'], 'POST', { path: PATH, method: 'POST', body: BODY, pause: 2 }),
  ...rowsOf(['tcp-kept', 'tls13-kept', 'quic-kept'], 'GET', { path: PATH, pause: 1 }),
  ...rowsOf(['tcp', 'tls13', 'quic-0rtt'], '1 MB', { path: MEGABYTE, pause: 2 }),
]
const NAMES = [...new Set(ROWS.map(({ system }) => system))]

/** Calls of one kind in a row, over which processor time is taken. */
const BLOCK = 10

export const cpu = {
  title: 'CPU time of a request',
  async run({ quick, samples = quick ? 10 : 40, onProgress }) {
    const children = ['gateway', 'host', 'user'].map(role => new Child(pathOf(role), [], { serialization: 'advanced' }))
    const [gateway, host, user] = children
    try {
      const ports = await gateway.ask({ verb: 'open', names: NAMES, host: HOST })
      const worker = await host.ask({ verb: 'start', handler: handlerOf('echo.mjs'), host: HOST, clients: NAMES })
      await gateway.ask({ verb: 'put', service: 'echo', worker })
      const warmUp = quick ? 500 : 2000
      for (const [i, name] of NAMES.entries()) {
        onProgress(0, `warming up, ${Math.round((100 * i) / NAMES.length)} %`)
        await gateway.ask({ verb: 'warm', name, service: 'echo', count: warmUp })
      }
      const { pid } = await gateway.ask({ verb: 'who' })
      const byKey = new Map(ROWS.map(row => [row.key, row]))
      const turns = { samples, warmUp: 3, onProgress }
      const results = await inTurns([...byKey.keys()], turns, key =>
        block(byKey.get(key), { gateway, user, ports, gatewayPid: pid, workerPid: worker.pid }),
      )
      return conclude(results, { network: 'loopback', samples, callsEach: BLOCK, warmUpCalls: warmUp })
    } finally {
      await Promise.all(children.map(child => child.stop()))
    }
  },
}

const pathOf = role => fileURLToPath(new URL(`roles/${role}.mjs`, import.meta.url))

/** µs for each call, at both ends. */
async function block({ system, path, method, body, pause }, { gateway, user, ports, gatewayPid, workerPid }) {
  const before = [gatewayPid, workerPid].map(microseconds)
  for (let i = 0; i < BLOCK; i++) {
    await user.ask({ verb: 'call', host: HOST, port: ports[system].port, path, method, body })
    await gateway.ask({ verb: 'renew', name: system, pause })
  }
  const [gatewayUs, workerUs] = [gatewayPid, workerPid].map((pid, i) => (microseconds(pid) - before[i]) / BLOCK)
  return { gatewayUs, workerUs }
}

/** Of all threads of a process, so far. */
function microseconds(pid) {
  let sum = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000
  }
  return sum
}

function conclude(results, conditions) {
  const raw = {}
  const comparisons = ROWS.map(({ key, system, what }) => {
    raw[`${key} gateway`] = results[key].map(({ gatewayUs }) => gatewayUs)
    raw[`${key} worker`] = results[key].map(({ workerUs }) => workerUs)
    const [gatewayUs, workerUs] = ['gateway', 'worker'].map(end => Math.round(median(raw[`${key} ${end}`])))
    const text = `gateway ${gatewayUs} µs, worker ${workerUs} µs`
    return { what: `${what}: ${systems[system].label}`, text, gatewayUs, workerUs }
  })
  return { conditions, comparisons, raw }
}
