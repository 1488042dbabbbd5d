import { expect, test } from 'vitest'
import { Pair } from '../sim/pair.ts'

test('a handshake with certificates is confirmed on both sides', () => {
  const pair = new Pair().connect()
  expect(pair.client.find('handshakeComplete')?.peer).toMatchObject({
    alpn: 'test',
    isResumed: false,
    earlyData: 'none',
  })
  expect(pair.server.find('handshakeComplete')?.peer.alpn).toBe('test')
})
