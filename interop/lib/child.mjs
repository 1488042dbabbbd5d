// Programs under test: started with a log file, watched line by line, ended by their own process id.

import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** Every program that still runs, so that none outlives this one. */
const running = new Set()
/** ms between asking to end and insisting. */
const GRACE = 2000

export class Child {
  /** `log` receives both outputs. `hasInput`: `process.stdin` can be written to. */
  constructor(command, args, { log, env = {}, cwd, hasInput = false }) {
    this.name = command.split('/').at(-1)
    this.lines = []
    this.waiting = new Set()
    this.file = createWriteStream(log, { flags: 'a' })
    this.file.write(`$ ${[command, ...args].join(' ')}\n`)
    const stdio = [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe']
    // A process group of its own: what it starts ends with it.
    this.process = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, detached: true })
    running.add(this)
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface({ input: stream }).on('line', line => this.onLine(line))
    }
    /** Resolves with {code, signal} when it ended and its outputs are read. */
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code, signal) => this.file.end(() => resolve({ code, signal })))
    }).finally(() => running.delete(this))
    this.ended.catch(() => {})
  }

  onLine(line) {
    if (this.lines.length < MAX_LINES) this.lines.push(line)
    this.file.write(`${line}\n`)
    for (const waiter of this.waiting) {
      if (!waiter.test(line)) continue
      this.waiting.delete(waiter)
      waiter.resolve(line)
    }
  }

  /** The first line, past or to come, that `test` likes. Rejects when the program ends without one. */
  line(test) {
    const found = this.lines.find(test)
    return found === undefined ? this.nextLine(test) : Promise.resolve(found)
  }

  /** The same, of those to come. */
  nextLine(test) {
    const seen = new Promise(resolve => this.waiting.add({ test, resolve }))
    const gone = this.ended.then(({ code, signal }) => {
      throw new Error(`${this.name} ended (${signal ?? code}): ${this.lines.slice(-3).join(' | ')}`)
    })
    return Promise.race([seen, gone])
  }

  /** Asks it to end, insists later, and waits until it has. */
  async stop(signal = 'SIGTERM') {
    if (!running.has(this)) return
    this.kill(signal)
    const insist = setTimeout(() => this.kill('SIGKILL'), GRACE)
    await this.ended.catch(() => {})
    clearTimeout(insist)
    // What it started may have outlived it.
    this.kill('SIGKILL')
  }

  kill(signal) {
    if (this.process.pid === undefined) return
    try {
      process.kill(-this.process.pid, signal)
    } catch {
      // Gone already.
    }
  }
}

/** Ends whatever was left behind. */
export async function stopAll() {
  await Promise.all([...running].map(child => child.stop('SIGKILL')))
}

/** Output that is looked at; the rest is only in the file. */
const MAX_LINES = 10_000

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  // Unless somebody else sees to it.
  process.once(signal, () => process.listenerCount(signal) === 0 && process.exit(130))
}
