// The parent's handle of a process that runs peer.mjs.

import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** Flags of node for all of them, if any: `GROWTH_FLAGS='--min-semi-space-size=16 --initial-heap-size=512'`, equal heaps. */
const flags = process.env.GROWTH_FLAGS?.split(' ') ?? []
const module = fileURLToPath(new URL('peer.mjs', import.meta.url))

export class Peer {
  #child = fork(module, { execArgv: ['--expose-gc', ...flags] })
  #waiting = new Map()
  #next = 0

  constructor() {
    this.#child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    this.#child.once('exit', code => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a peer ended with code ${code}`))
    })
  }

  /** Asks for one of the verbs of peer.mjs; resolves with what it returns. */
  call(verb, options = {}) {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, verb, options })
    })
  }

  /** Resolves when the verb, a count, says `expected`. */
  async until(verb, expected) {
    while ((await this.call(verb)) !== expected) await sleep(20)
  }

  /** Resolves when the process is gone. */
  async stop() {
    if (this.#child.exitCode !== null) return
    const gone = new Promise(resolve => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await gone
  }
}
