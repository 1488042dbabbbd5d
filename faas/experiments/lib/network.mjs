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
const CONGESTION_CONTROL = 'reno'

export class Network {
  #link
  #machines = []
  /** What `print` and results tell: ms each way that was asked for, what the link was set to, and the round trip measured. */
  conditions
  /** `gateway` and `worker`: their IPv4 addresses. */
  addresses

  /** `delay`: ms each way. The link is set so that a round trip takes twice that. */
  static async start(delay) {
    if (process.platform !== 'linux' || process.getuid() !== 0) {
      throw new Error('network namespaces need Linux and root: sudo npm run faas:experiments')
    }
    const first = await Network.#begin(delay, delay)
    const excess = first.conditions.measuredRttMs - 2 * delay
    if (excess <= 0.02) return first
    await first.stop()
    return Network.#begin(delay, Math.max(0, delay - excess / 2))
  }

  static async #begin(delay, set) {
    const network = new Network()
    // What forwards shall not wait for what is measured.
    const args = ['-n', '-10', 'python3', linkProgram, '--delay', set, '--rate', RATE, '--queue', QUEUE]
    network.#link = spawn('nice', args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] })
    const facts = await firstLine(network.#link)
    const { client, server } = facts.addresses
    network.pids = { gateway: facts.client, worker: facts.server }
    network.addresses = { gateway: client.ipv4, worker: server.ipv4 }
    await Promise.all(['gateway', 'worker'].map(side => network.#settle(side)))
    const { stdout } = await run('nsenter', network.#inside('gateway', 'python3', pingProgram, server.ipv4, PINGS))
    network.conditions = {
      delayMs: delay,
      linkSetMs: rounded(set),
      measuredRttMs: rounded(Number(stdout)),
      rateMbps: RATE,
      mtu: 1500,
      tcpCongestionControl: CONGESTION_CONTROL,
    }
    return network
  }

  /** A program of `roles` on the machine `side`, spoken to by `ask`. */
  machine(side, script, parameters = []) {
    const path = fileURLToPath(new URL(`../roles/${script}`, import.meta.url))
    const [file, ...execArgv] = ['nsenter', ...this.#inside(side, 'env', '-C', process.cwd(), process.execPath)]
    const child = new Child(path, parameters, { execPath: file, execArgv, serialization: 'advanced' })
    this.#machines.push(child)
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

async function firstLine(child) {
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line)
  throw new Error('the link did not start')
}
