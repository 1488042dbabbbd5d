// A worker that nobody calls at once calls itself.

import { afterEach, describe, expect, test } from 'vitest'
import { selfSigned } from 'zerotrip'
import { type Http3Endpoint, provisionHttp3, serve } from 'zerotrip/http3'
import { ownHalf, rehearse } from '../dist/watchdog/rehearsal.js'

const { worker } = provisionHttp3({ clientId: 'gateway', addresses: [] })
/** Taken before the keys are used, as a worker does. */
const half = ownHalf(worker)
const seen: { path: string; early: boolean }[] = []
let server: Http3Endpoint | undefined

afterEach(async () => {
  await server?.close({ deadline: 0 })
  seen.length = 0
})

async function listen(): Promise<{ host: string; port: number }> {
  const { cert, key } = selfSigned({ hosts: ['127.0.0.1'] })
  const fetch = (request: Request & { early: boolean }): Response => {
    seen.push({ path: new URL(request.url).pathname, early: request.early })
    return new Response('OK')
  }
  server = serve({ host: '127.0.0.1', port: 0, cert, key, fetch, bundle: worker })
  const { port } = await server.ready
  return { host: '127.0.0.1', port }
}

describe('a rehearsal', () => {
  test('is a few contacts as a first client has them, by a path that is not the function’s', async () => {
    await rehearse(half as never, await listen(), () => false)
    expect(seen.length).toBeGreaterThan(1)
    expect(new Set(seen.map(({ path }) => path))).toEqual(new Set(['/_/health']))
    expect(seen.every(({ early }) => early)).toBe(true)
  })

  test('does not take place when somebody waits, and fails without a word', async () => {
    await rehearse(half as never, { host: '127.0.0.1', port: 9 }, () => true)
    expect(seen).toEqual([])
    expect(ownHalf(undefined)).toBe(undefined)
  })
})
