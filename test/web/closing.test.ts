import { describe, expect, test } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'
import { fetch } from '../../src/web/client/fetch.ts'
import { serve } from '../../src/web/serve.ts'
import { connect } from '../../src/web/session.ts'
import { closing, eventually, failure, freePort, isSame, pattern, sleep, sockets } from '../endpoint/helpers.ts'
import { caPem } from '../support/certificates.ts'
import { digest, identity, session, site, source } from './helpers.ts'

describe('closing', () => {
  test('server.close() lets what is begun finish, refuses what is new, and frees the port', async () => {
    let release: (() => void) | undefined
    const port = await freePort()
    const answer = async (): Promise<Response> => {
      await new Promise<void>(resolve => {
        release = resolve
      })
      return new Response(source(16))
    }
    const { url, server } = await site(answer, { port })
    const near = session(url)
    const begun = near.fetch('/')
    await near.opened
    expect(await eventually(() => release !== undefined)).toBe(true)
    const closed = server.close()
    expect(server.close()).toBe(closed)
    expect(await eventually(() => !near.isOpen)).toBe(true)
    expect((await failure(near.fetch('/late'))).message).toMatch(/no more requests/)
    expect((await failure(session(url).fetch('/'))).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    release?.()
    expect((await digest((await begun).body)).length).toBe(16 * 65_536)
    await closed
    expect(await near.closed).toMatchObject({ errorCode: 0x100, by: 'peer' })
    const again = closing(new QuicEndpoint({ host: '127.0.0.1', port }))
    await again.ready
  })

  test('server.close() waits no longer than its deadline', async () => {
    let isAsked = false
    const { url, server } = await site(() => {
      isAsked = true
      return new Promise<Response>(() => {})
    })
    const near = session(url)
    const stuck = failure(near.fetch('/'))
    expect(await eventually(() => isAsked)).toBe(true)
    // Without a deadline this would never come back.
    await server.close({ deadline: 50 })
    expect((await stuck).message).toMatch(/close/)
  })

  test('session.close() waits for the answers that are under way', async () => {
    const { url } = await site(async () => {
      await sleep(30)
      return new Response(pattern(200_000) as never)
    })
    const near = session(url)
    const response = near.fetch('/')
    const closed = near.close()
    expect((await failure(near.fetch('/'))).message).toMatch(/no more requests/)
    expect(isSame(new Uint8Array(await (await response).arrayBuffer()), pattern(200_000))).toBe(true)
    await closed
    expect((await near.closed).by).toBe('local')
  })

  test('await using', async () => {
    let closed: Promise<unknown> | undefined
    {
      await using server = serve({ host: '127.0.0.1', ...identity, fetch: () => new Response('x') })
      const { port } = await server.ready
      await using near = connect(`https://127.0.0.1:${port}`, { ca: caPem })
      expect(await (await near.fetch('/')).text()).toBe('x')
      closed = near.closed
    }
    expect(await closed).toMatchObject({ errorCode: 0x100 })
  })

  test('fetch of one request closes its socket with the body, or with the failure', async () => {
    const { url } = await site(request => new Response(request.url))
    expect(await eventually(() => sockets() === 1)).toBe(true)
    const response = await fetch(`${url}/one`, { ca: caPem })
    expect(await response.text()).toBe(`${url}/one`)
    expect(await eventually(() => sockets() === 1)).toBe(true)
    const cancelled = await fetch(new Request(`${url}/two`), { ca: caPem })
    await cancelled.body?.cancel()
    expect(await eventually(() => sockets() === 1)).toBe(true)
    expect((await failure(fetch(url))).cause).toMatchObject({ code: 'ERR_ZEROTRIP_HANDSHAKE' })
    expect(await eventually(() => sockets() === 1)).toBe(true)
    const abort = new AbortController()
    const aborted = failure(fetch(url, { ca: caPem, signal: abort.signal }))
    abort.abort(new Error('never mind'))
    expect((await aborted).message).toBe('never mind')
    expect(await eventually(() => sockets() === 1)).toBe(true)
    const near = session(url)
    expect(await (await fetch(`${url}/three`, { session: near })).text()).toBe(`${url}/three`)
  })

  test('a shared endpoint stays open', async () => {
    const { url } = await site(() => new Response('x'))
    const endpoint = closing(new QuicEndpoint({ host: '127.0.0.1' }))
    for (let i = 0; i < 2; i++) expect(await (await fetch(url, { ca: caPem, endpoint })).text()).toBe('x')
    expect(() => connect(url, { endpoint, transport: { initialRtt: -1 } })).toThrow(RangeError)
    expect(await (await fetch(url, { ca: caPem, endpoint })).text()).toBe('x')
  })
})

describe('mistakes of the caller', () => {
  test('URLs and options, as TypeErrors and RangeErrors, and no socket stays open', async () => {
    expect(await eventually(() => sockets() === 0)).toBe(true)
    expect(() => connect('nonsense')).toThrow(TypeError)
    expect(() => connect('http://127.0.0.1')).toThrow(/https/)
    expect(() => connect('https://127.0.0.1:0/')).toThrow(RangeError)
    expect(() => connect('https://127.0.0.1/', { transport: { maxDatagramSize: 1 } })).toThrow(RangeError)
    await expect(fetch('/path')).rejects.toThrow(TypeError)
    expect(() => serve({ ...identity } as never)).toThrow(/fetch/)
    expect(() => serve({ host: '127.0.0.1', fetch: () => new Response('') })).toThrow(/cert/)
    expect(await eventually(() => sockets() === 0)).toBe(true)
  })

  test('requests that are none', async () => {
    const { url } = await site(() => new Response('x'))
    const near = session(url)
    await expect(near.fetch('https://')).rejects.toThrow(TypeError)
    await expect(near.fetch('/', { headers: { 'bad name': 'x' } })).rejects.toThrow(TypeError)
    await expect(near.fetch('/', { method: 'BAD METHOD' })).rejects.toThrow(TypeError)
    expect(await (await near.fetch('/')).text()).toBe('x')
  })

  test('a server that is not there', async () => {
    const near = session('https://127.0.0.1:9', { handshakeTimeout: 50 })
    expect((await failure(near.fetch('/'))).code).toBe('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT')
    expect((await failure(near.opened)).code).toBe('ERR_ZEROTRIP_HANDSHAKE_TIMEOUT')
  })
})
