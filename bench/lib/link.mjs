// The userspace link between two namespaces (interop/link), whose delay and loss can be changed while it runs.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const program = join(import.meta.dirname, '..', '..', 'interop', 'link', 'link.py')
/** So fast, and with so long a queue, that neither counts beside the delay. */
const WIDE = ['--rate', '2000', '--queue', '2000', '--delay', '0', '--burst', '3', '--seed', '1']

/** Of TCP at both ends, whatever this machine uses: our own default, or what it is like at short round trips (RFC 9438
 * §4.3). A namespace may only use what its system does not restrict. */
const CONGESTION_CONTROLS = ['cubic', 'reno']
const SETTING = '/proc/sys/net/ipv4/tcp_congestion_control'

/** Undefined where there can be a link. */
export function whyNoLink() {
  if (process.platform !== 'linux') return 'network namespaces need Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root: sudo npm run bench'
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  return undefined
}

export class Link {
  #process
  #lines

  static async start() {
    const link = new Link()
    // What forwards shall not wait for what is measured.
    const child = spawn('nice', ['-n', '-10', 'python3', program, ...WIDE], { stdio: ['pipe', 'pipe', 'inherit'] })
    const gone = new Promise((_, reject) => {
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`link.py ended with ${code}`)))
    })
    gone.catch(() => {})
    child.stdin.on('error', () => {})
    link.#process = child
    link.#lines = { interface: createInterface({ input: child.stdout }), gone }
    const { client, server, addresses } = JSON.parse(await link.#next())
    link.pids = { client, server }
    link.addresses = { client: addresses.client.ipv4, server: addresses.server.ipv4 }
    link.congestionControl = CONGESTION_CONTROLS.find(name => link.#isSet(name)) ?? 'the default of the system'
    return link
  }

  /** `delay`: ms each way; `loss`: percent of all packets each way, TCP's too. */
  async set(conditions) {
    for (const [name, value] of Object.entries(conditions)) {
      const answer = this.#next()
      this.#process.stdin.write(`${name} ${value}\n`)
      await answer
    }
  }

  /** How a Node is started at one end: options of `Child`. */
  inside(side) {
    return { execPath: 'nsenter', execArgv: [...this.#at(side), process.execPath] }
  }

  async stop() {
    const gone = new Promise(resolve => this.#process.once('exit', resolve))
    this.#process.stdin.end()
    await gone
  }

  #at(side) {
    return ['--target', String(this.pids[side]), '--net', '--mount']
  }

  #isSet(name) {
    try {
      for (const side of ['client', 'server']) {
        execFileSync('nsenter', [...this.#at(side), 'sh', '-c', `printf ${name} > ${SETTING}`], { stdio: 'pipe' })
      }
      return true
    } catch {
      return false
    }
  }

  #next() {
    const line = new Promise(resolve => this.#lines.interface.once('line', resolve))
    return Promise.race([line, this.#lines.gone])
  }
}
