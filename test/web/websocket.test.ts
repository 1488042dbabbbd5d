import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { selfSigned } from '../../src/web/self-signed.ts'
import { type Http3Endpoint, type ServeOptions, serve } from '../../src/web/serve.ts'
import { connect, type Http3Session } from '../../src/web/session.ts'
import { webSocketConnection } from '../../src/web/websocket/connection.ts'

const identity = selfSigned({ hosts: ['localhost'] })
const running: Http3Endpoint[] = []
const sessions: Http3Session[] = []

afterEach(async () => {
  await Promise.all(sessions.splice(0).map(session => session.session.close(0x100)))
  await Promise.all(running.splice(0).map(server => server.close({ deadline: 100 })))
})

async function start(options: Partial<ServeOptions> = {}): Promise<string> {
  const server = serve({ host: '127.0.0.1', ...identity, fetch: () => new Response('a page'), ...options })
  running.push(server)
  const { port } = await server.ready
  return `localhost:${port}`
}

function open(authority: string, protocols: string[] = []): WebSocket {
  const session = connect(`https://${authority}`, { ca: identity.cert })
  sessions.push(session)
  return new WebSocket(`wss://${authority}/chat?x=1`, protocols, { createConnection: webSocketConnection(session) })
}

/** Sends back what comes. */
function echo(server: WebSocketServer): ServeOptions['upgrade'] {
  return (request, socket, head) => {
    server.handleUpgrade(request, socket, head, ws => {
      ws.send(`${request.url} ${ws.protocol}`)
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
    })
  }
}

describe('RFC 9220: WebSocket over HTTP/3, with the package ws at both ends', () => {
  test('text, bytes, compression, ping, and how it is closed', async () => {
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } })
    const authority = await start({ upgrade: echo(server) })
    const ws = open(authority, ['a', 'b'])
    const [greeting] = await once(ws, 'message')
    expect(String(greeting)).toBe('/chat?x=1 a')
    expect(ws.extensions).toContain('permessage-deflate')
    ws.send('hello')
    expect(String((await once(ws, 'message'))[0])).toBe('hello')
    const large = Buffer.alloc(1 << 20, 'abcdefg')
    ws.send(large)
    const [back, isBinary] = await once(ws, 'message')
    expect(isBinary).toBe(true)
    expect(large.equals(back as Buffer)).toBe(true)
    ws.ping('x')
    expect(String((await once(ws, 'pong'))[0])).toBe('x')
    ws.close(4001, 'enough')
    const [code, reason] = await once(ws, 'close')
    expect([code, String(reason)]).toEqual([4001, 'enough'])
  })

  test('several on one connection, and requests beside them', async () => {
    const server = new WebSocketServer({ noServer: true })
    const authority = await start({ upgrade: echo(server) })
    const session = connect(`https://${authority}`, { ca: identity.cert })
    sessions.push(session)
    const all = Array.from({ length: 5 }, () => {
      return new WebSocket(`wss://${authority}/`, { createConnection: webSocketConnection(session) })
    })
    await Promise.all(all.map(ws => once(ws, 'message')))
    expect(await (await session.fetch('/')).text()).toBe('a page')
    await Promise.all(
      all.map(async ws => {
        ws.close()
        await once(ws, 'close')
      }),
    )
  })

  test('a server that refuses, in its own words', async () => {
    const authority = await start({
      upgrade: (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
    })
    const [error] = await once(open(authority), 'error')
    expect(String(error)).toMatch(/403/)
  })

  test('a server that takes no WebSockets', async () => {
    const authority = await start()
    const [error] = await once(open(authority), 'error')
    expect(String(error)).toMatch(/takes no CONNECT/)
  })

  test('a handler that throws: 500', async () => {
    const errors: unknown[] = []
    const authority = await start({
      upgrade: () => {
        throw new Error('mine')
      },
      onError: error => errors.push(error),
    })
    const [error] = await once(open(authority), 'error')
    expect(String(error)).toMatch(/500/)
    expect(errors).toEqual([new Error('mine')])
  })

  test('RFC 9220 §3: a stream that is reset is a connection that broke off: 1006', async () => {
    const server = new WebSocketServer({ noServer: true })
    const closed: number[] = []
    const authority = await start({
      upgrade: (request, socket, head) => {
        server.handleUpgrade(request, socket, head, ws => {
          ws.on('error', () => {})
          ws.on('close', code => closed.push(code))
          ws.send('hello')
        })
      },
    })
    const ws = open(authority)
    await once(ws, 'message')
    ws.terminate()
    expect((await once(ws, 'close'))[0]).toBe(1006)
    while (closed.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
    expect(closed).toEqual([1006])
  })
})
