// Two machines and what is between them: network namespaces, and interop/link with a delay that was measured.

import { execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Child } from '../../../bench/lib/children.mjs'
import { rounded } from '../../../bench/lib/statistics.mjs'

const linkProgram = fileURLToPath(new URL('../../../interop/link/link.py', import.meta.url))
const pingProgram = fileURLToPath(new URL('ping.py', import.meta.url))
const run = promisify(execFile)

/** Mbit/s each way, and packets that may wait: no bottleneck but what computes. */
const RATE = 1000
const QUEUE = 10_000
const PINGS = 200

/** Real-time priorities: what is measured does not wait for others on this machine; what forwards, not for that. */
const PRIORITY = 5
const LINK_PRIORITY = 10

const CONGESTION_CONTROL = 'reno'

export class Network {
  #link
  #lines
  #machines = []
  /** What the link is set to, ms each way, by what was asked for; and the round trip that was measured then. */
  #settings = new Map()
  /** Of the delay that is set now. */
  conditions
  /** `gateway` and `worker`: their IPv4 addresses. */
  addresses

  /** `delay`: ms each way. */
  static async start(delay) {
    if (process.platform !== 'linux' || process.getuid() !== 0) {
      throw new Error('network namespaces need Linux and root: sudo npm run faas:experiments')
    }
    const network = new Network()
    const args = ['--rr', LINK_PRIORITY, 'python3', linkProgram, '--delay', delay, '--rate', RATE, '--queue', QUEUE]
    network.#link = spawn('chrt', args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
    network.#lines = createInterface({ input: network.#link.stdout })[Symbol.asyncIterator]()
    const { client, server, addresses } = await network.#answer()
    network.pids = { gateway: client, worker: server }
    network.addresses = { gateway: addresses.client.ipv4, worker: addresses.server.ipv4 }
    await Promise.all(['gateway', 'worker'].map(side => network.#settle(side)))
    await network.setDelay(delay)
    return network
  }

  /** The link is set so that a round trip takes twice as long as `delay`, ms each way. */
  async setDelay(delay) {
    const known = this.#settings.get(delay)
    if (known === undefined) this.#settings.set(delay, await this.#calibrate(delay))
    else await this.#setLink(known.linkSetMs)
    const { linkSetMs, measuredRttMs } = this.#settings.get(delay)
    this.conditions = {
      delayMs: delay,
      linkSetMs,
      measuredRttMs,
      rateMbps: RATE,
      mtu: 1500,
      tcpCongestionControl: CONGESTION_CONTROL,
      scheduling: `SCHED_RR ${PRIORITY}`,
    }
  }

  async #calibrate(delay) {
    await this.#setLink(delay)
    const excess = (await this.#ping()) - 2 * delay
    const linkSetMs = rounded(Math.max(0, delay - excess / 2))
    await this.#setLink(linkSetMs)
    return { linkSetMs, measuredRttMs: rounded(await this.#ping()) }
  }

  async #ping() {
    const inside = this.#inside('gateway', 'python3', pingProgram, this.addresses.worker, PINGS)
    return Number((await run('nsenter', inside)).stdout)
  }

  async #setLink(ms) {
    this.#link.stdin.write(`delay ${ms}\n`)
    await this.#answer()
  }

  async #answer() {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('the link has ended')
    return JSON.parse(value)
  }

  /** A program of `roles` on the machine `side`, spoken to by `ask`. */
  machine(side, script, parameters = []) {
    const path = fileURLToPath(new URL(`../roles/${script}`, import.meta.url))
    const command = ['chrt', '--rr', PRIORITY, 'env', '-C', process.cwd(), process.execPath]
    const [file, ...execArgv] = ['nsenter', ...this.#inside(side, ...command)]
    const child = new Child(path, parameters, { execPath: file, execArgv, serialization: 'advanced' })
    this.#machines.push(child)
    return child
  }

  /** Any program on the machine `side`. */
  spawn(side, file, args = []) {
    const command = this.#inside(side, 'chrt', '--rr', PRIORITY, 'env', '-C', process.cwd(), file, ...args)
    const child = spawn('nsenter', command, { stdio: ['ignore', 'ignore', 'ignore'] })
    // Whatever ends this process: what it started does not stay.
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.once('exit', () => process.off('exit', end))
    return child
  }

  async stop() {
    await Promise.all(this.#machines.map(machine => machine.stop()))
    const gone = new Promise(resolve => this.#link.once('exit', resolve))
    this.#link.stdin.end()
    await gone
  }

  /** Some systems' default is BBR, which paces; CUBIC, the paper's, is not for namespaces. Nothing here is lost. */
  async #settle(side) {
    const set = `printf ${CONGESTION_CONTROL} > /proc/sys/net/ipv4/tcp_congestion_control`
    await run('nsenter', this.#inside(side, 'sh', '-c', set))
  }

  #inside(side, ...command) {
    return ['--target', this.pids[side], '--net', '--mount', ...command].map(String)
  }
}
