// A worker that nobody calls at once is called by its gateway.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { QuicEndpoint, selfSigned } from 'zerotrip'
import { type Http3Endpoint, provisionHttp3, serve } from 'zerotrip/http3'
import { MemoryTickets } from 'zerotrip/zero-rtt'
import { InstanceClient } from '../dist/gateway/instance-client.js'
import { rehearse } from '../dist/gateway/rehearsal.js'
import { FieldList } from '../dist/http/fields.js'

const { worker, client: half } = provisionHttp3({ clientId: 'gateway', addresses: [] })
const seen: { path: string; early: boolean }[] = []
const counted: string[] = []
const endpoint = new QuicEndpoint()
let server: Http3Endpoint
let origin = ''

beforeAll(async () => {
  const fetch = (request: Request & { early: boolean }): Response => {
    seen.push({ path: new URL(request.url).pathname, early: request.early })
    return new Response('OK', { headers: { 'content-length': '2' } })
  }
  server = serve({ host: '127.0.0.1', port: 0, ...selfSigned({ hosts: ['127.0.0.1'] }), fetch, bundle: worker })
  origin = `127.0.0.1:${(await server.ready).port}`
})

afterEach(() => {
  seen.length = 0
})

afterAll(async () => {
  await endpoint.close()
  await server.close({ deadline: 0 })
})

function clientOf(address: string): InstanceClient {
  const bundle = { ...half, addresses: [address] }
  const options = {
    endpoint,
    tickets: new MemoryTickets(Date.now),
    counts: { early: (result: string) => counted.push(result) },
  }
  return new InstanceClient(
    { id: 'one', origin: address, tlsOrigin: undefined, certificate: undefined, bundle },
    options,
  )
}

/** As `InstanceClient.rehearse`, which nobody waits for. */
function rehearsal(client: InstanceClient): Promise<void> {
  return rehearse({ contact: () => client.contact('/_/health'), isTaken: () => client.isTaken })
}

describe('a rehearsal', () => {
  test('is a few contacts as a first client has them, by a path that is not the function’s', async () => {
    await rehearsal(clientOf(origin))
    expect(seen.length).toBeGreaterThan(1)
    expect(new Set(seen.map(({ path }) => path))).toEqual(new Set(['/_/health']))
    expect(seen.every(({ early }) => early)).toBe(true)
    expect(counted).toEqual([])
  })

  test('does not take place when somebody calls, or the worker is gone', async () => {
    const called = clientOf(origin)
    const rehearsed = rehearsal(called)
    const call = { method: 'GET', target: '/', host: 'here', headers: new FieldList(), body: undefined }
    const { status, body } = await called.send(call, AbortSignal.timeout(5000))
    expect([status, String(body)]).toEqual([200, '79,75'])
    const gone = clientOf(origin)
    gone.retire(true)
    await Promise.all([rehearsed, rehearsal(gone)])
    expect(seen.map(({ path }) => path)).toEqual(['/'])
    called.retire(false)
  })
})
