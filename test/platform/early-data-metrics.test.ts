import * as prometheus from 'prom-client'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { EarlyDataMetrics } from '../../src/platform/early-data-metrics.ts'
import { provisionHttp3 } from '../../src/web/provision.ts'
import { eventually } from '../endpoint/helpers.ts'
import { session, site } from '../web/helpers.ts'

describe('early data, counted', () => {
  test('per peer, by both sides, and for Prometheus', async () => {
    const registry = new Registry()
    const metrics = new EarlyDataMetrics({ prometheus, registers: [registry] })
    const probe = await site(() => new Response(''))
    await probe.server.close()
    const { port } = probe
    const { worker, client } = provisionHttp3({ clientId: 'gateway-1', addresses: [`127.0.0.1:${port}`] })
    const { url } = await site(request => new Response(`${request.early}`), { port, bundle: worker })
    // A second process with the same half: its counter begins anew, and its early data is refused.
    for (const bundle of [client, { ...client }]) {
      const near = session(url, { bundle })
      await (await near.fetch('/')).text()
      await near.opened
    }
    const instance = Buffer.from(client.instanceId).toString('hex')
    expect(metrics.peers.get('gateway-1')).toEqual({ sent: 0, accepted: 1, rejected: 1, replayed: 1, expired: 0 })
    expect(metrics.peers.get(instance)).toEqual({ sent: 2, accepted: 1, rejected: 1, replayed: 0, expired: 0 })
    const text = await registry.metrics()
    const line = (labels: string, value: number) => `zerotrip_early_data_total{${labels}} ${value}`
    expect(text).toContain(line('side="server",peer="gateway-1",outcome="accepted",reason=""', 1))
    expect(text).toContain(line('side="server",peer="gateway-1",outcome="rejected",reason="replayed"', 1))
    expect(text).toContain(line(`side="client",peer="${instance}",outcome="sent",reason=""`, 2))
    expect(text).toMatch(/zerotrip_early_data_clock_skew_seconds_count 2/)
    metrics[Symbol.dispose]()
    await (await session(url, { bundle: client }).fetch('/')).text()
    expect(metrics.peers.get('gateway-1')?.accepted).toBe(1)
  })

  test('peers are bounded; nobody has to have Prometheus', async () => {
    using metrics = new EarlyDataMetrics({ maxPeers: 1 })
    const { channel } = await import('node:diagnostics_channel')
    for (const peer of ['a', 'b', 'c']) {
      channel('zerotrip:early-data:offer').publish({ authorization: { peer, edge: '', epoch: 0 } })
    }
    await eventually(() => metrics.peers.size > 0)
    expect([...metrics.peers].map(([name, { sent }]) => [name, sent])).toEqual([
      ['a', 1],
      ['other', 2],
    ])
  })
})
