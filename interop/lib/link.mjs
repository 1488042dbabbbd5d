// The simulated link of one run: link/link.py, and programs at its ends.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.mjs'

const program = fileURLToPath(new URL('../link/link.py', import.meta.url))

/** What keeps the time shall not wait for what else runs on the machine, nor what is measured: if that is allowed. */
const AHEAD = isAllowed('chrt', '--rr', '1') ? ['chrt', '--rr', '1'] : []

export class Link {
  /**
   * `conditions`: flags of link.py, such as { loss: 2 }; captures and a log go to `directory`. `isMeasured`: so is what
   * runs at its ends.
   */
  static async start(directory, conditions = {}, isMeasured = false) {
    const link = new Link()
    link.prefix = isMeasured ? AHEAD : []
    const flags = Object.entries(conditions).flatMap(([name, value]) =>
      value === true ? [`--${name}`] : [`--${name}`, ...[value].flat().map(String)],
    )
    const [command, ...args] = [...AHEAD, 'python3', program, ...flags, '--pcap', directory]
    link.child = new Child(command, args, { log: join(directory, 'link.log'), hasInput: true })
    const { client, server, addresses } = JSON.parse(await link.child.line(line => line.startsWith('{')))
    link.pids = { client, server }
    link.addresses = addresses
    return link
  }

  /** Runs `command`, { file, args, env, cwd }, at one end. */
  run(side, { file, args = [], env = {}, cwd }, log) {
    // Entering a mount namespace leads to its root directory.
    const inside = ['nsenter', '--target', this.pids[side], '--net', '--mount', 'env', '-C', cwd, file, ...args]
    const [command, ...rest] = [...this.prefix, ...inside].map(String)
    return new Child(command, rest, { log, env })
  }

  /** Resolves when a server answers as the quic-interop-runner asks; false: it did not in time. */
  async answers(family, port, seconds) {
    const answer = this.child.nextLine(line => line.includes('answered'))
    this.child.process.stdin.write(`${family === 'ipv6' ? 'await6' : 'await'} ${port} ${seconds}\n`)
    return JSON.parse(await answer).answered
  }

  /** Resolves with what was counted: { to_server: { packets, bytes, lost, overflows }, to_client }. */
  async stop() {
    this.child.process.stdin.end()
    await this.child.ended
    return JSON.parse(this.child.lines.at(-1))
  }
}

function isAllowed(command, ...args) {
  return spawnSync(command, [...args, 'true']).status === 0
}
