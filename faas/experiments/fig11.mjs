// Figure 11: two functions as people write them. a: Cert Info, a POST that makes a TLS connection of its own; b: Image
// Resizer, a GET that fetches a large picture and computes. In the paper the hosts they reach are far away; here they are
// at the other end of the link, which takes as much off every system.

import { median, rounded } from '../../bench/lib/statistics.mjs'
import { measureCalls, Scene } from './lib/calls.mjs'
import { change } from './lib/summary.mjs'

const DELAY = 0.5
const NAMES = ['tcp', 'tls13', 'tls13-resumed', 'quic-post1rtt', 'quic-0rtt']
const PICTURE = { width: 1200, height: 900 }
const WIDTH = 400

export const fig11 = {
  title: 'Cert Info (POST) and Image Resizer (GET)',
  async run({ quick, samples = quick ? 8 : 100, onProgress }) {
    const scene = await Scene.open(DELAY, NAMES)
    try {
      const host = scene.network.addresses.gateway
      const far = await scene.network.machine('gateway', 'far.mjs').ask({ verb: 'listen', host, ...PICTURE })
      for (const name of ['cert-info', 'image-resizer']) await scene.put(name, await scene.start(`${name}.mjs`))
      await scene.put('echo', await scene.start('echo.mjs'))
      const calls = quick ? 300 : 2000
      await scene.warmUp('echo', calls, onProgress)
      const warmUp = quick ? 3 : 20
      const { measured, raw } = await measureCalls(scene, rowsOf(host, far), { samples, warmUp, onProgress })
      const conditions = { ...scene.network.conditions, samples, warmUpCalls: calls + warmUp, pictureBytes: far.bytes }
      return { conditions, measured, comparisons: compare(raw), raw }
    } finally {
      await scene.close()
    }
  },
}

function rowsOf(host, { filesPort, tlsPort }) {
  const url = encodeURIComponent(`http://${host}:${filesPort}/`)
  return [
    ...NAMES.map(system => ({
      key: `certinfo ${system}`,
      system,
      method: 'POST',
      path: '/function/cert-info/',
      body: `${host}:${tlsPort}`,
    })),
    ...NAMES.map(system => ({
      key: `resizer ${system}`,
      system,
      method: 'GET',
      path: `/function/image-resizer/?url=${url}&width=${WIDTH}`,
    })),
  ]
}

function compare(raw) {
  const against = (what, key, than, paper) => ({
    what: `${what}, over ${than === 'tcp' ? 'TCP' : 'TLS 1.3, full'}`,
    ...change(raw[key], raw[`${key.split(' ')[0]} ${than}`]),
    text: difference(raw[key], raw[`${key.split(' ')[0]} ${than}`]),
    paper,
  })
  return [
    against('11a Cert Info: TLS 1.3, full', 'certinfo tls13', 'tcp', '+16 ms'),
    against('11a Cert Info: 0-RTT', 'certinfo quic-0rtt', 'tcp', '+8 ms'),
    against('11a Cert Info: POST1RTT', 'certinfo quic-post1rtt', 'tcp', '+10 ms'),
    against('11a Cert Info: 0-RTT', 'certinfo quic-0rtt', 'tls13', '-8 ms'),
    against('11b Image Resizer: 0-RTT', 'resizer quic-0rtt', 'tcp', '≈ 0 ms'),
    against('11b Image Resizer: 0-RTT', 'resizer quic-0rtt', 'tls13', '-26 ms'),
  ]
}

function difference(ours, theirs) {
  const ms = rounded(median(ours) - median(theirs))
  return `${ms > 0 ? '+' : ''}${ms} ms`
}
