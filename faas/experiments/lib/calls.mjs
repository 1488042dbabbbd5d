// One user, one gateway for each system, one worker: the scene of figures 5 and 7.

import { fileURLToPath } from 'node:url'
import { inTurns } from '../../../bench/lib/turns.mjs'
import { Network } from './network.mjs'
import { counted, summary } from './summary.mjs'
import { systems } from './systems.mjs'

export const handlerOf = name => fileURLToPath(new URL(`../functions/${name}`, import.meta.url))

/** Systems are warmed up in turns, too. */
const TURNS = 10

export class Scene {
  network
  host
  gateway
  user
  /** Where gateways listen, and at which ports, by system. */
  address
  ports

  /**
   * `delay`: ms each way between the gateway and the workers; the user is at the gateway. `isReachable`: functions call
   * it, too.
   */
  static async open(delay, names, { isReachable = false } = {}) {
    const scene = new Scene()
    scene.names = names
    scene.network = await Network.start(delay)
    try {
      scene.host = scene.network.machine('worker', 'host.mjs')
      scene.gateway = scene.network.machine('gateway', 'gateway.mjs')
      scene.user = scene.network.machine('gateway', 'user.mjs')
      scene.address = isReachable ? scene.network.addresses.gateway : '127.0.0.1'
      scene.ports = await scene.gateway.ask({ verb: 'open', names, host: scene.address })
    } catch (error) {
      await scene.network.stop()
      throw error
    }
    return scene
  }

  /** A new worker, which nobody has called. */
  start(handler, options = {}) {
    const host = this.network.addresses.worker
    return this.host.ask({ verb: 'start', handler: handlerOf(handler), host, clients: this.names, ...options })
  }

  stop(worker) {
    return this.host.ask({ verb: 'stop', id: worker.id })
  }

  put(service, worker, names) {
    return this.gateway.ask({ verb: 'put', service, worker, ...(names && { names }) })
  }

  /** One call, after which connections end; with what they were. */
  async call(name, { path, method, body }) {
    const { address: host, pause, idle } = this
    const answer = await this.user.ask({ verb: 'call', host, port: this.ports[name].port, path, method, body })
    const { connections } = await this.gateway.ask({ verb: 'renew', name, pause, idle })
    return { ...answer, connections }
  }

  /**
   * Calls of each system until nothing is left to compile, without delay and without the user, who is warmed by the
   * rounds that are not counted. The store has tickets then, too.
   */
  async warmUp(service, count, onProgress) {
    const { delayMs } = this.network.conditions
    await this.network.setDelay(0)
    for (let turn = 0; turn < TURNS; turn++) {
      onProgress(0, `warming up, ${Math.round((100 * turn) / TURNS)} %`)
      for (const name of this.names) {
        await this.gateway.ask({ verb: 'warm', name, service, count: Math.ceil(count / TURNS) })
      }
    }
    await this.network.setDelay(delayMs)
  }

  /** ms in which an end of a connection has reached the other side and is done with. */
  get pause() {
    return 3 + 3 * this.network.conditions.measuredRttMs
  }

  /** ms for which functions keep connections among each other. */
  idle = 0

  close() {
    return this.network.stop()
  }
}

/** `rows`: { key, system, path, method, body }. Resolves with samples and summaries by key. */
export async function measureCalls(scene, rows, turns) {
  const byKey = new Map(rows.map(row => [row.key, row]))
  const results = await inTurns([...byKey.keys()], turns, async key => {
    const row = byKey.get(key)
    return check(row, await scene.call(row.system, row))
  })
  const raw = Object.fromEntries(Object.entries(results).map(([key, calls]) => [key, calls.map(({ ms }) => ms)]))
  const measured = rows.map(({ key, system, method }) => ({
    key,
    system,
    method,
    label: systems[system].label,
    paper: systems[system].paper,
    ...summary(raw[key]),
    connections: counted(results[key].flatMap(({ connections }) => connections)),
  }))
  return { measured, raw }
}

/** A sample that was not what its row says would be worse than none. */
function check({ key, bytes, expects }, call) {
  if (bytes !== undefined && call.bytes !== bytes) throw new Error(`${key}: ${call.bytes} bytes`)
  if (expects !== undefined && !expects(call.connections))
    throw new Error(`${key}: ${call.connections.join() || 'no connection'}`)
  return call
}
