// The program under test: the compiled one in a process of its own where it was built (`npm test`), its `run` with
// streams of ours otherwise.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import { run } from '../../src/cli/run.ts'

export const isCompiled: boolean = process.env['TEST_COMPILED'] === '1'

export interface Result {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

export interface Running {
  readonly result: Promise<Result>
  /** SIGTERM, or what stands for it. */
  stop(): void
  /** Resolves with all of standard output once it matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
}

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

export function begin(...argv: readonly string[]): Running {
  const running = isCompiled ? inProcess(argv) : inHere(argv)
  ends.push(() => {
    running.stop()
    return running.result
  })
  return running
}

export async function zerotrip(...argv: readonly string[]): Promise<Result> {
  return begin(...argv).result
}

/** A server on a port of its own, with a key of its own. */
export interface TestServer extends Running {
  readonly origin: string
  readonly port: number
  readonly pin: string
}

export async function server(root: string, ...flags: readonly string[]): Promise<TestServer> {
  const running = begin('serve', '--self-signed', '--host', '127.0.0.1', '--port', '0', '--root', root, ...flags)
  const [, pin, port] = await running.printed(/--pin ([0-9a-f]{64})\n.*https:\/\/127\.0\.0\.1:(\d+)\//s)
  return { ...running, origin: `https://127.0.0.1:${port}`, port: Number(port), pin: pin as string }
}

/** A directory that goes with the test. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'zerotrip-'))
  ends.unshift(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function inProcess(argv: readonly string[]): Running {
  const child = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = new Output()
  const errors = new Output()
  child.stdout.on('data', chunk => output.add(chunk))
  child.stderr.on('data', chunk => errors.add(chunk))
  const result = new Promise<Result>(resolve => {
    child.on('close', code => resolve({ code, stdout: output.end(), stderr: errors.end().toString() }))
  })
  return { result, stop: () => child.kill('SIGTERM'), printed: pattern => output.matching(pattern, errors) }
}

function inHere(argv: readonly string[]): Running {
  const interruption = new AbortController()
  const output = new Output()
  const errors = new Output()
  const io = { stdout: writable(output), stderr: writable(errors), signal: interruption.signal }
  const result = run(argv, io).then(code => ({ code, stdout: output.end(), stderr: errors.end().toString() }))
  return { result, stop: () => interruption.abort(), printed: pattern => output.matching(pattern, errors) }
}

function writable(output: Output): Writable {
  return new Writable({
    write(chunk, _encoding, callback) {
      output.add(chunk)
      callback()
    },
  })
}

class Output {
  #chunks: Buffer[] = []
  #isEnded = false
  #look: () => void = () => {}

  add(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk))
    this.#look()
  }

  end(): Buffer {
    this.#isEnded = true
    this.#look()
    return Buffer.concat(this.#chunks)
  }

  matching(pattern: RegExp, errors: Output): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const found = pattern.exec(Buffer.concat(this.#chunks).toString())
        if (found) resolve(found)
        else if (this.#isEnded) reject(new Error(`ended without ${pattern}: ${Buffer.concat(errors.#chunks)}`))
      }
      this.#look()
    })
  }
}
