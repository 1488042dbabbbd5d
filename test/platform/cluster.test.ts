// A server of several processes: a connection stays with the one that took it (RFC 9000 §5.1, §9).

import { type ChildProcess, fork } from 'node:child_process'
import cluster from 'node:cluster'
import type { Socket } from 'node:dgram'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { joinCluster, leadCluster } from '../../src/platform/cluster.ts'
import { connect } from '../../src/web/session.ts'
import { bound, closing, freePort, sleep } from '../endpoint/helpers.ts'

const main = fileURLToPath(new URL('cluster-server.mjs', import.meta.url))
let child: ChildProcess | undefined

afterEach(() => void child?.kill('SIGKILL'))

async function start(port: number, workers: number): Promise<{ cert: string; exit: Promise<number | null> }> {
  // Without coverage: the workers are not what is measured here.
  const { NODE_V8_COVERAGE: _, ...env } = process.env
  const made = fork(main, [`${port}`, `${workers}`], { silent: true, env })
  child = made
  const exit = new Promise<number | null>(resolve => made.once('exit', resolve))
  const { cert } = await new Promise<{ cert: string }>((resolve, reject) => {
    made.once('message', message => resolve(message as { cert: string }))
    exit.then(code => reject(new Error(`ended with ${code}`)))
  })
  return { cert, exit }
}

/** A NAT: its clients' datagrams leave by one port after another. */
class Nat {
  readonly #outside: Socket
  readonly #ports: Socket[] = []
  readonly #to: number
  #client = 0

  private constructor(outside: Socket, to: number) {
    this.#outside = outside
    this.#to = to
    outside.on('message', (bytes, { port }) => {
      this.#client = port
      this.#ports.at(-1)?.send(bytes, this.#to, '127.0.0.1')
    })
  }

  static async before(to: number): Promise<Nat> {
    const nat = closing(new Nat(await bound(), to))
    await nat.rebind()
    return nat
  }

  get port(): number {
    return this.#outside.address().port
  }

  /** What is under way to the old port is lost. */
  async rebind(): Promise<void> {
    const socket = await bound()
    socket.on('message', bytes => this.#outside.send(bytes, this.#client, '127.0.0.1'))
    this.#ports.push(socket)
    this.#ports.at(-2)?.removeAllListeners('message')
  }

  close(): void {
    for (const socket of [this.#outside, ...this.#ports]) socket.close()
  }
}

test('three processes, clients that change their address in the middle of an answer', async () => {
  const port = await freePort()
  const { cert, exit } = await start(port, 3)
  const used = new Set<string | null>()
  for (let visit = 0; visit < 12; visit++) {
    const session = connect(`https://127.0.0.1:${port}`, { ca: cert })
    const response = await session.fetch('/bytes/10')
    used.add(response.headers.get('x-process'))
    expect((await response.arrayBuffer()).byteLength).toBe(10)
    await session.close()
  }
  expect(used.size).toBeGreaterThan(1)

  const nat = await Nat.before(port)
  const session = connect(`https://127.0.0.1:${nat.port}`, { ca: cert })
  closing({ close: () => session.session.close() })
  const who: (string | null)[] = []
  let handedOn = 0
  for (let request = 0; request < 3; request++) {
    const response = await session.fetch('/bytes/300000')
    who.push(response.headers.get('x-process'))
    handedOn = Number(response.headers.get('x-handed-on'))
    let at = 0
    let isRight = true
    for await (const chunk of response.body ?? []) {
      if (at === 0) await nat.rebind()
      for (let i = 0; i < chunk.length; i++) isRight &&= chunk[i] === (at + i) % 251
      at += chunk.length
    }
    expect({ at, isRight }).toEqual({ at: 300_000, isRight: true })
  }
  expect(new Set(who).size).toBe(1)
  expect(handedOn).toBeGreaterThan(0)
  child?.send('stop')
  // Nothing is left that would keep them: they end by themselves.
  expect(await exit).toBe(0)
})

test('a process that ends is replaced, and the others go on', async () => {
  const port = await freePort()
  const { cert, exit } = await start(port, 2)
  const visit = async (): Promise<{ readonly worker: string | null; readonly process: string | null }> => {
    const session = connect(`https://127.0.0.1:${port}`, { ca: cert, handshakeTimeout: 2000 })
    try {
      const { headers } = await session.fetch('/bytes/1')
      return { worker: headers.get('x-worker'), process: headers.get('x-process') }
    } finally {
      session.session.close()
    }
  }
  const before = new Map<unknown, unknown>()
  while (before.size < 2) {
    const { worker, process } = await visit()
    before.set(worker, process)
  }
  child?.send({ kill: 1 })
  let after: string | null | undefined
  while (after === undefined || after === before.get('1')) {
    const seen = await visit().catch(() => undefined)
    if (seen?.worker === '1') after = seen.process
    else if (seen !== undefined) expect(seen.process).toBe(before.get('0'))
    // The new process needs the time of the processor more than we do.
    await sleep(100)
  }
  child?.send('stop')
  expect(await exit).toBe(0)
})

test('joinCluster elsewhere than in a worker: TypeError', async () => {
  await expect(joinCluster()).rejects.toThrow(TypeError)
  await expect(leadCluster({ workers: 0 })).rejects.toThrow(/workers/)
})

test('joinCluster where nobody leads: an error that says what to do', async () => {
  const send = vi.spyOn(process, 'send').mockReturnValue(true)
  Object.assign(cluster, { isWorker: true })
  try {
    const joining = joinCluster({ timeout: 1 })
    expect(send).toHaveBeenCalledWith({ zerotrip: 'join' })
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_ZEROTRIP_INVALID_STATE',
      message: expect.stringContaining('leadCluster'),
    })
  } finally {
    Object.assign(cluster, { isWorker: false })
    send.mockRestore()
  }
})
