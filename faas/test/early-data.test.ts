// Which requests come early, at both ends; and that what comes again is not run again.

import { fileURLToPath } from 'node:url'
import { type LaunchedWorker, launch } from '@zerotrip/faas/generator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type Http3FetchInit } from 'zerotrip/http3'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import type { FunctionRequest } from '../src/http/handler.ts'
import { SingleExecution } from '../src/watchdog/single-execution.ts'
import { GatewayWorld, node, until } from './gateway-world.ts'
import { UdpRelay } from './udp-relay.ts'

describe('policy of a function: never, safe, all', () => {
  const world = new GatewayWorld()
  const policies = ['never', 'safe', 'all'] as const

  beforeAll(async () => {
    const server = { envProcess: `${node} server.mjs`, envVars: { mode: 'http' } }
    await world.start(
      ...policies.map(each => ({ ...server, service: each, annotations: { 'zerotrip.early-data': each } })),
    )
    await Promise.all(policies.map(each => world.call(`/function/${each}`)))
  })

  afterAll(() => world[Symbol.asyncDispose]())

  test.each([
    ['never', 'GET', undefined],
    ['never', 'POST', undefined],
    ['safe', 'GET', '1'],
    ['safe', 'POST', undefined],
    ['all', 'POST', '1'],
  ])('gateway, function %s: an early %s is held until the handshake, or run', async (name, method, early) => {
    const url = `https://127.0.0.1:${world.ports.securePort}`
    const options = { ca: world.gateway.certificate, tickets: new MemoryTickets(Date.now), earlyData: true }
    const first = connect(url, options)
    await (await first.fetch('/healthz')).text()
    await first.close()
    const session = connect(url, options)
    const response = await session.fetch(`/function/${name}`, {
      method,
      early: true,
      ...(method === 'POST' && { body: 'x' }),
    })
    const seen = (await response.json()) as { headers: Record<string, string> }
    expect([(await session.opened).earlyData, seen.headers['early-data']]).toEqual(['accepted', early])
    await session.close()
  })

  test('425 for what was early on a hop before, by whatever it comes', async () => {
    const status = async (name: string, method: string): Promise<number | undefined> =>
      (await world.call(`/function/${name}`, { method, headers: { 'early-data': '1' }, body: '' })).status
    expect(await Promise.all(policies.map(each => status(each, 'GET')))).toEqual([425, 200, 200])
    expect(await Promise.all(policies.map(each => status(each, 'POST')))).toEqual([425, 425, 200])
    expect((await world.call('/system/functions', { headers: { 'early-data': '1' } })).status).toBe(425)
  })

  test('worker: a client that sends early what it should not is held, and a word that is none is refused', async () => {
    const worker = await launched('never')
    const session = connect(`https://${worker.origin}`, { bundle: { ...worker.client, earlyRequests: 'all' } })
    const response = await session.fetch('/x', { early: true })
    expect(await response.json()).toMatchObject({ early: false })
    await session.close()
    const wrong = { service: 'x', annotations: { 'zerotrip.early-data': 'always' } }
    expect(() => world.deploy(wrong)).toThrow('zerotrip.early-data must be never, safe or all')
  })
})

describe('single execution under `all`', () => {
  const callOf = (id: string, time = '1'): Http3FetchInit => {
    return { method: 'POST', body: 'once', headers: { 'x-call-id': id, 'x-start-time': time } }
  }

  test('a first flight sent again by somebody else is not run again', async () => {
    const worker = await launched('all')
    await using relay = await relayTo(worker)
    const session = connect(`https://${relay.origin}`, { bundle: worker.clientFor('victim', [relay.origin]) })
    expect(await (await session.fetch('/replayed', callOf('replayed'))).json()).toMatchObject({ early: true })
    const flight = relay.seen.slice(0, 1)
    await session.close()
    await relay.replay(flight)
    expect(await runs(worker, '/replayed')).toBe('1')
  })

  test('a first flight held back until its client has tried again is not run besides', async () => {
    const worker = await launched('all')
    await using relay = await relayTo(worker)
    relay.holds = true
    const cut = connect(`https://${relay.origin}`, { bundle: worker.clientFor('victim', [relay.origin]) })
    const unanswered = cut.fetch('/withheld', callOf('withheld'))
    unanswered.catch(() => {})
    await until(() => relay.seen.length > 0)
    const flight = [...relay.seen]
    cut.session.abort(new Error('no answer'))
    // The same call by another way.
    const retry = connect(`https://${worker.origin}`, { ca: worker.announcement.certificate })
    expect((await retry.fetch('/withheld', callOf('withheld'))).status).toBe(200)
    await relay.replay(flight)
    const again = await retry.fetch('/withheld', callOf('withheld'))
    expect([again.status, await again.text()]).toEqual([409, 'this call has been run before\n'])
    expect(await runs(worker, '/withheld')).toBe('1')
    retry.session.abort(new Error('done'))
  })

  test('calls of one chain share an id and are several', async () => {
    const worker = await launched('all')
    const session = connect(`https://${worker.origin}`, { bundle: worker.clientFor('gateway-2') })
    for (const each of [callOf('chain'), callOf('chain', '2')]) {
      expect((await session.fetch('/chain', each)).status).toBe(200)
    }
    expect(await runs(worker, '/chain')).toBe('2')
    session.session.abort(new Error('done'))
  })

  test('memory has a bound: once it was full, early calls are put off as long as something may be forgotten', () => {
    let now = 0
    const once = new SingleExecution(() => now, 2)
    const run = once.around(() => ({ status: 200 }))
    const ask = (id: string, early: boolean, method = 'POST'): unknown => {
      const headers = id === '' ? undefined : { 'x-call-id': id }
      const request = Object.assign(new Request('http://x/', { method, ...(headers && { headers }) }), { early })
      return (run(request as unknown as FunctionRequest) as { status: number }).status
    }
    expect([ask('a', true), ask('b', true), ask('a', false), ask('', true), ask('', false)]).toEqual([
      200, 200, 409, 425, 200,
    ])
    expect([ask('c', false), once.size, ask('d', true), ask('d', true, 'GET')]).toEqual([200, 2, 425, 200])
    now = 20_001
    expect([ask('d', true), ask('b', true), once.size]).toEqual([200, 200, 2])
  })
})

const workers = new Map<string, Promise<LaunchedWorker>>()

afterAll(async () => {
  for (const worker of workers.values()) await (await worker).stop()
})

/** One for each policy. */
function launched(earlyRequests: 'never' | 'all'): Promise<LaunchedWorker> {
  const handler = fileURLToPath(new URL('functions/witness.mjs', import.meta.url))
  const known = workers.get(earlyRequests)
  const worker = known ?? launch({ handler, clientId: 'gateway-1', startDeadline: 60_000, earlyRequests })
  workers.set(earlyRequests, worker)
  return worker
}

function relayTo({ announcement }: LaunchedWorker): Promise<UdpRelay> {
  return new UdpRelay(announcement).start()
}

async function runs(worker: LaunchedWorker, path: string): Promise<string> {
  const session = connect(`https://${worker.origin}`, { ca: worker.announcement.certificate })
  const text = await (await session.fetch(`/runs?of=${path}`)).text()
  await session.close()
  return text
}
