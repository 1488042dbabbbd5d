// Which cells there are.

import { zerotrip } from '../peers/zerotrip.mjs'

/** { peer, role, test, alpn, client, server } for each peer, case and role of the peer. */
export function plan(peers, cases, { quick, test: names, role: only }) {
  const tests = cases.filter(({ name, isQuick }) => (names ? names.includes(name) : !quick || isQuick))
  return peers.flatMap(peer =>
    // With itself there is one way only.
    (peer === zerotrip ? ['server'] : ['server', 'client'])
      .filter(role => only === undefined || only === role)
      .flatMap(role => tests.map(test => jobOf(peer, role, test)).filter(job => job.alpn !== undefined)),
  )
}

/** Files over HTTP/0.9 as the runner does, where the peer speaks it. */
function jobOf(peer, role, test) {
  const spoken = peer.alpn[role] ?? []
  const alpn = spoken.find(name => (test.alpn === undefined ? name !== 'webtransport' : name === test.alpn))
  const sides = role === 'server' ? { client: zerotrip, server: peer } : { client: peer, server: zerotrip }
  return { peer, role, test, alpn, ...sides }
}
