// A watchdog as a container would run it: by its environment, with a temporary directory and ports of its own.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, type Http3Session } from 'zerotrip/http3'

export const program: string = fileURLToPath(new URL('../dist/watchdog/worker.js', import.meta.url))

export interface Answer {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface CallOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly port?: number
  /** The beginning of a body of which the rest never comes. */
  readonly unfinished?: string
}

export class WatchdogProcess implements AsyncDisposable {
  readonly child: ChildProcess
  readonly directory: string
  port = 0
  metricsPort = 0
  certificate = ''
  /** What it wrote to stdout and stderr. */
  output = ''
  readonly exited: Promise<number | null>

  constructor(environment: Record<string, string>, parameters: readonly string[] = []) {
    this.directory = mkdtempSync(join(tmpdir(), 'watchdog-'))
    this.child = spawn(process.execPath, [program, '--host', '127.0.0.1', ...parameters], {
      env: { PATH: process.env['PATH'], TMPDIR: this.directory, port: '0', metrics_port: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what it started ends with it, however it ends.
      detached: true,
    })
    this.exited = new Promise(resolve => this.child.once('close', code => resolve(code)))
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', text => {
        this.output += text
      })
    }
  }

  /** Resolves when it listens; rejects, with what it said, when it ends before. */
  async listening(): Promise<this> {
    const line = await this.said(/^\{"type":"listening".*\}$/m)
    const { port, metricsPort, certificate } = JSON.parse(line)
    Object.assign(this, { port, metricsPort, certificate })
    return this
  }

  /** Waits until the output matches. */
  async said(pattern: RegExp): Promise<string> {
    let isOver = false
    this.exited.then(() => {
      isOver = true
    })
    for (;;) {
      const found = pattern.exec(this.output)
      if (found) return found[0]
      if (isOver) throw new Error(`it never said ${pattern}: ${this.output}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  session(): Http3Session {
    return connect(`https://127.0.0.1:${this.port}`, { ca: this.certificate })
  }

  /** By HTTP/1.1 on TCP, on a connection of its own. */
  call(path: string, options: CallOptions = {}): Promise<Answer> {
    const { method = 'GET', headers = {}, body, port = this.port, unfinished } = options
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', data => {
          text += data
        })
        response.once('error', reject)
        response.once('end', () => outgoing.destroy())
        response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text }))
      })
      outgoing.once('error', reject)
      if (unfinished === undefined) outgoing.end(body)
      else outgoing.write(unfinished)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-(this.child.pid as number), 'SIGKILL')
    } catch {
      // They are all gone.
    }
    await this.exited
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** Resolves when it listens. */
export function started(environment: Record<string, string>, parameters?: readonly string[]): Promise<WatchdogProcess> {
  return new WatchdogProcess(environment, parameters).listening()
}

export function freePort(): Promise<string> {
  return new Promise(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(String(port)))
    })
  })
}

export function functionAt(name: string): string {
  return fileURLToPath(new URL(`functions/${name}`, import.meta.url))
}
