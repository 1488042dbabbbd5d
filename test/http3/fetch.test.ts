import { describe, expect, test } from 'vitest'
import { join, text } from './helpers.ts'

describe('a request and its response', () => {
  test('GET', async () => {
    const { client, pair } = join(request => new Response(`hello ${new URL(request.url).pathname}`))
    const promise = client.request(new Request('https://example.com/a?b=c', { headers: { 'x-one': '1' } }))
    await pair.settle()
    const response = await promise
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/plain;charset=UTF-8')
    expect(await text(response, pair)).toBe('hello /a')
  })

  // Not of a Blob: newer versions of Node read it outside of the microtask queue.
  test('the answer to a small request is one write, whether it is text, bytes or a Response of them', async () => {
    const bodies = ['hello', new Uint8Array(5), new Response('hello'), new Response(null)]
    for (const body of bodies) {
      const { client, pair } = join(() => (body instanceof Response ? body : { body }))
      const promise = client.request({ url: 'https://example.com/' })
      expect(pair.client.sent[0]?.writes).toBe(1)
      await pair.settle()
      expect((await promise).status).toBe(200)
      expect(pair.server.sent[0]?.writes).toBe(1)
    }
  })

  test('an answer that is no promise is written before the event returns', () => {
    const { client, pair } = join(() => ({ status: 201, headers: [['x-a', 'b']], body: 'now' }))
    void client.request({ url: 'https://example.com/' })
    pair.step()
    expect(pair.server.sent[0]?.fin).toBe('queued')
  })
})
