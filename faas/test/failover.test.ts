// Workers that die, leave or cannot be reached, and what becomes of the requests they had.

import { createSocket, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type LaunchedWorker, launch } from '@zerotrip/faas/generator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QuicEndpoint } from 'zerotrip'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import { NextHop } from '../dist/http/next-hop.js'
import { GatewayWorld, later, node, until } from './gateway-world.ts'

describe('an instance that is killed', () => {
  const world = new GatewayWorld()
  const of = { name: 'server', namespace: 'openfaas-fn' }

  beforeAll(async () => {
    const labels = { 'com.openfaas.scale.min': '2' }
    const slow = { envProcess: `${node} server.mjs`, envVars: { mode: 'http', exec_timeout: '0' } }
    await world.start({ ...slow, service: 'server', labels }, { service: 'witness', envProcess: 'witness.mjs' })
    await until(() => world.provider.instances(of).length === 2)
  })

  afterAll(() => world[Symbol.asyncDispose]())

  test('what it had fails at once: safe methods have another’s answer, others an error', async () => {
    const [, watchdog] = JSON.parse((await world.call('/function/server/pids')).body) as [number, number]
    const get = world.call('/function/server/hold?ms=300')
    const post = world.call('/function/server/hold?ms=300', { method: 'POST', body: 'x' })
    // One to each instance.
    await later(100)
    const begun = performance.now()
    process.kill(watchdog, 'SIGKILL')
    const [safe, unsafe] = await Promise.all([get, post])
    expect(safe.status).toBe(200)
    expect([200, 502]).toContain(unsafe.status)
    // Without its exit nothing would be noticed before the idle timeout.
    expect(performance.now() - begun).toBeLessThan(10_000)
    await until(() => world.provider.instances(of).length === 2)
  })

  test('in mode http its function is not left behind', async () => {
    const [child, watchdog] = JSON.parse((await world.call('/function/server/pids')).body) as [number, number]
    process.kill(watchdog, 'SIGKILL')
    await until(() => !isAlive(child))
    await until(() => world.provider.instances(of).length === 2)
  })

  test('before a request: the next one has an answer of another', async () => {
    const pid = JSON.parse((await world.call('/function/witness/pid')).body) as number
    process.kill(pid, 'SIGKILL')
    const next = await world.call('/function/witness/pid')
    expect(next.status).toBe(200)
    expect(JSON.parse(next.body)).not.toBe(pid)
  })

  test('one that says GOAWAY has what it has, and gets nothing more', async () => {
    const [, watchdog] = JSON.parse((await world.call('/function/server/pids')).body) as [number, number]
    const held = [world.call('/function/server/hold?ms=500'), world.call('/function/server/hold?ms=500')]
    await later(50)
    process.kill(watchdog, 'SIGTERM')
    const answers = await Promise.all([
      ...held,
      ...Array.from({ length: 10 }, (_, i) =>
        later(i * 20).then(() => world.call('/function/server/after', { method: 'POST', body: '' })),
      ),
    ])
    expect(answers.map(each => each.status)).toEqual(Array(12).fill(200))
  })
})

test('an instance that gives up again and again is started again, but not at once', async () => {
  await using world = await new GatewayWorld().start({ service: 'crasher', envProcess: 'crasher.mjs', labels: {} })
  const starts: number[] = []
  world.provider.subscribe(({ type }) => {
    if (type === 'gone') starts.push(performance.now())
  })
  await until(() => starts.length === 3)
  expect((starts[2] as number) - (starts[1] as number)).toBeGreaterThan(250)
})

test('scale from zero: 504 with Retry-After when the start, or the answer, takes longer than upstream_timeout', async () => {
  await using world = await new GatewayWorld({ upstreamTimeout: 1500 }).start(
    { service: 'never', envProcess: 'never.mjs' },
    { service: 'server', envProcess: `${node} server.mjs`, envVars: { mode: 'http' } },
  )
  const answers = await Promise.all([world.call('/function/never'), world.call('/function/server/hold?ms=60000')])
  for (const { status, headers } of answers) expect([status, headers['retry-after']]).toEqual([504, '1'])
})

describe('nobody at the UDP port', () => {
  const endpoint = new QuicEndpoint()
  const sockets: Socket[] = []
  let worker: LaunchedWorker

  beforeAll(async () => {
    const handler = fileURLToPath(new URL('functions/witness.mjs', import.meta.url))
    worker = await launch({ handler, clientId: 'gateway-1', startDeadline: 60_000, tls: true })
  })

  afterAll(async () => {
    for (const socket of sockets) socket.close()
    await endpoint.close()
    await worker.stop()
  })

  /** By UDP a socket that takes everything and says nothing. */
  async function hop(hasTls: boolean): Promise<NextHop> {
    const hole = createSocket('udp4')
    sockets.push(hole)
    await new Promise<void>(resolve => hole.bind(0, '127.0.0.1', resolve))
    const { host, tlsPort, certificate } = worker.announcement
    const origin = `127.0.0.1:${(hole.address() as AddressInfo).port}`
    const tlsOrigin = hasTls ? `${host}:${tlsPort}` : undefined
    const address = { origin, tlsOrigin, certificate, bundle: worker.clientFor('blocked', [origin]) }
    return new NextHop(address, { endpoint, tickets: new MemoryTickets(Date.now), initialRtt: PTO / 3 })
  }

  const PTO = 120
  const call = (method: string) => ({ method, target: '/hello', host: 'x', headers: new Headers(), body: undefined })
  const never = new AbortController().signal

  test('after three PTO it is TLS on TCP, at once for the next', async () => {
    const blocked = await hop(true)
    const begun = performance.now()
    expect((await blocked.send(call('GET'), never)).status).toBe(200)
    const first = performance.now() - begun
    expect(first).toBeGreaterThan(2.5 * PTO)
    expect((await blocked.send(call('POST'), never)).status).toBe(200)
    expect(performance.now() - begun - first).toBeLessThan(first)
  })

  test('without TCP it is a failure that says what the worker may have seen', async () => {
    const blocked = await hop(false)
    await expect(blocked.send(call('POST'), never)).rejects.toMatchObject({ fate: 'not processed' })
    await expect(blocked.send(call('GET'), never)).rejects.toMatchObject({ fate: 'unknown' })
    // Others are asked first for a while.
    expect(blocked.isReluctant).toBe(true)
  })
})

/** Somebody may have to reap it yet. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
