// Who is let in: Retry under load, and rates for each host (RFC 9000 §8.1).

import { describe, expect, test } from 'vitest'
import {
  limitPerHost,
  MAX_HOSTS,
  networkOf,
  retryAlways,
  retryNever,
  retryUnderLoad,
} from '../../src/endpoint/admission.ts'
import { type Incoming, RETRY_ABOVE_HANDSHAKES } from '../../src/endpoint/incoming.ts'
import { client, echo, failure, server } from './helpers.ts'

function from(host: string, more: Partial<Incoming> = {}): Incoming {
  return { remoteAddress: { host, port: 1 }, isAddressValidated: false, handshakes: 0, connections: 0, ...more }
}

describe('Retry', () => {
  const calm = from('192.0.2.1')
  const busy = { ...calm, handshakes: RETRY_ABOVE_HANDSHAKES }
  const proven = { isAddressValidated: true }

  test('under load: by handshakes that are under way', () => {
    const policy = retryUnderLoad()
    expect([calm, busy, { ...busy, ...proven }].map(policy)).toEqual(['accept', 'retry', 'accept'])
    const early = retryUnderLoad({ handshakes: 3 })
    expect([2, 3].map(handshakes => early({ ...calm, handshakes }))).toEqual(['accept', 'retry'])
    expect(() => retryUnderLoad({ handshakes: -1 })).toThrow(RangeError)
  })

  test('always, never', () => {
    expect([calm, busy, { ...calm, ...proven }].map(retryAlways)).toEqual(['retry', 'retry', 'accept'])
    expect([calm, busy].map(retryNever)).toEqual(['accept', 'accept'])
  })
})

describe('limitPerHost', () => {
  const run = (admit: ReturnType<typeof limitPerHost>, incoming: Incoming, times: number): unknown[] =>
    Array.from({ length: times }, () => admit(incoming))

  test('a burst, then a rate; others do not notice', () => {
    let time = 0
    const admit = limitPerHost({ perSecond: 10, burst: 3, clock: () => time })
    expect(run(admit, from('192.0.2.1'), 5)).toEqual(['accept', 'accept', 'accept', 'retry', 'retry'])
    expect(admit(from('192.0.2.2'))).toBe('accept')
    time = 200
    expect(run(admit, from('192.0.2.1'), 3)).toEqual(['accept', 'accept', 'retry'])
    time = 60_000
    expect(run(admit, from('192.0.2.1'), 4)).toEqual(['accept', 'accept', 'accept', 'retry'])
  })

  test('addresses that anybody can make up use up nothing of who has them', () => {
    const admit = limitPerHost({ perSecond: 1, burst: 2, clock: () => 0 })
    run(admit, from('192.0.2.1'), 1000)
    expect(run(admit, from('192.0.2.1', { isAddressValidated: true }), 3)).toEqual(['accept', 'accept', 'refuse'])
  })

  test('an IPv6 network of 64 bits is one host', () => {
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1')
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0')
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2')
    expect(networkOf('::1')).toBe('0:0:0:0')
    expect(networkOf('1::2:3:4:5:6:7')).toBe('1:0:2:3')
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0')
    const admit = limitPerHost({ perSecond: 1, burst: 1, clock: () => 0 })
    expect(['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'].map(host => admit(from(host)))).toEqual([
      'accept',
      'retry',
      'accept',
    ])
  })

  test('hosts remembered are bounded: the one known longest begins anew', () => {
    const admit = limitPerHost({ perSecond: 1, burst: 1, clock: () => 0 })
    const host = (n: number): Incoming => from(`10.0.${n >> 8}.${n & 0xff}`)
    for (let n = 0; n < MAX_HOSTS; n++) admit(host(n))
    expect(admit(host(0))).toBe('retry')
    admit(host(MAX_HOSTS))
    expect(admit(host(0))).toBe('accept')
    expect(admit(host(MAX_HOSTS))).toBe('retry')
  })

  test('what lies within the rate is for another policy; numbers that make no sense are refused', () => {
    expect(limitPerHost({ admit: () => 'ignore' })(from('192.0.2.1'))).toBe('ignore')
    expect(() => limitPerHost({ perSecond: 0 })).toThrow(RangeError)
    expect(() => limitPerHost({ burst: 0.5 })).toThrow(RangeError)
  })

  test('over sockets: the address is proven, then refused', async () => {
    const { address, endpoint } = await server(echo, { admit: limitPerHost({ perSecond: 0.001, burst: 1 }) })
    await client(address).opened
    // Proven now, and within the rate of those.
    await client(address).opened
    expect((await failure(client(address).opened)).code).toBe('ERR_ZEROTRIP_CONNECTION_REFUSED')
    expect(endpoint.statistics()).toMatchObject({ accepted: 2, refused: 1, retriesSent: 2 })
  })
})
