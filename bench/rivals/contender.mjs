// A program of another implementation, one end of its connections. It is started as
//
//     PROGRAM server|client ADDRESS:PORT CERTIFICATES
//
// with a directory of cert.pem, priv.key and ca.pem, and prints {"ready": true}. A server answers every GET with 100
// bytes, or as many as /bytes/N says. A client reads lines, `1rtt PATH` or `0rtt PATH`, makes a connection of its own
// for each, and prints {"ms": from before the connection to the last byte, "isEarly": whether early data was accepted}.
// quic-go's sends as many bytes itself for `put /bytes/N`. Both end with their input.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** ms until one that was started is ready, and until it answers. */
const PATIENCE = 120_000
const POLL = 20

export class Contender {
  #process
  #lines
  #complaint = ''
  #gone

  /** `port`: of a server that does not say when it is ready. */
  static async start({ file, args, port }) {
    const contender = new Contender()
    // Ends with this process, however this process ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], { stdio: 'pipe' })
    contender.#process = child
    contender.#gone = new Promise(resolve => child.once('exit', resolve).once('error', resolve))
    child.stdin.on('error', () => {})
    child.stderr.on('data', data => {
      contender.#complaint = String(data).trim() || contender.#complaint
    })
    contender.#lines = createInterface({ input: child.stdout })
    try {
      await (port === undefined ? contender.#next() : contender.#bound(port))
    } catch (error) {
      contender.stop()
      throw error
    }
    return contender
  }

  /** What a client says of one contact. */
  async contact(variant, path) {
    const answer = this.#next()
    this.#process.stdin.write(`${variant} ${path}\n`)
    return JSON.parse(await answer)
  }

  async stop() {
    this.#process.kill('SIGKILL')
    await this.#gone
  }

  async #bound(port) {
    const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
    for (const end = performance.now() + PATIENCE; performance.now() < end && this.#process.exitCode === null; ) {
      if (readFileSync('/proc/net/udp', 'utf8').includes(hex)) return
      await new Promise(resolve => setTimeout(resolve, POLL))
    }
    throw new Error(`does not listen: ${this.#complaint.split('\n').at(-1)}`)
  }

  /** The next line. */
  #next() {
    return new Promise((resolve, reject) => {
      const done = settle => value => {
        clearTimeout(timer)
        this.#lines.off('line', onLine)
        settle(value)
      }
      const onLine = done(resolve)
      const fail = done(reject)
      const timer = setTimeout(() => fail(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE)
      this.#lines.once('line', onLine)
      this.#gone.then(code =>
        fail(new Error(`ended with ${code?.message ?? code}: ${this.#complaint.split('\n').at(-1)}`)),
      )
    })
  }
}
