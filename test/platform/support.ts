// What the tests of this room share: a directory of their own, a bundle, a Redis.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { onTestFinished } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { WorkerBundle } from '../../src/zero-rtt/bundle.ts'
import { workerBundle } from '../../src/zero-rtt/generator.ts'

/** Gone when the test is over. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'zerotrip-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function bundle(): WorkerBundle {
  return workerBundle({ backend: nodeBackend, unixTime: Date.now(), transportParameters: new Uint8Array(0) })
}

/** Where `redis-server` is; undefined on a machine without it. */
export const redisServer: string | undefined = find('redis-server')

function find(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

export type RedisConnection = Awaited<ReturnType<typeof connectTo>>

/** A Redis of the test's own on loopback, in memory. It can be killed and started again on the same port. */
export class Redis {
  readonly port: number
  #process: ChildProcess | undefined

  private constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<Redis> {
    const redis = new Redis(await freePort())
    onTestFinished(() => redis.kill())
    await redis.restart()
    return redis
  }

  async restart(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const child = spawn(redisServer as string, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      child.once('exit', code => reject(new Error(`redis-server ended with ${code}`)))
      child.stdout?.on('data', text => {
        if (String(text).includes('Ready to accept connections')) resolve()
      })
    })
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** Stopped, it takes commands and says nothing; then it goes on. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  connect(): Promise<RedisConnection> {
    return connectTo(this.port)
  }
}

async function connectTo(port: number) {
  const client = createClient({
    socket: { host: '127.0.0.1', port, reconnectStrategy: () => 20 },
    disableOfflineQueue: true,
  })
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.destroy())
  return client
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
