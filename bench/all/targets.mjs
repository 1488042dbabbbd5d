// Every target by its name: what it may be at most or has to be at least, and where it is found in the results. What
// could not be measured says why.

const OURS = 'quic-0rtt-provisioned'
const BULK = 'bulk, 1,452-byte datagrams, zerotrip /'
const PATH_BULK = "bulk, the path's MTU, zerotrip /"

const sealed = (size, ours, theirs) => results =>
  results.micro.ratios?.[`seal+open ${size}: ${ours} / raw node:crypto ${theirs}`]
const distance = (roundTrip, other) => results =>
  results.distance.ratios?.[`${roundTrip}: provisioned / ${other}`]?.ratio
const slope = name => results => results.distance.lines?.[name]?.slope
const bulk = (ours, other) => results => results.bulk.ratios?.[`${ours} / ${other}`]?.ratio
const requests = (load, other) => results => results.requests.ratios?.[`${load} stream / ${other}`]

/** Name, bound, the benchmark, and its value. `isStretch`: one would like it; the others have to be. */
const targets = [
  [
    'seal+open 1,200 bytes, wasm / raw node:crypto',
    { atMost: 0.4 },
    'micro',
    sealed(1200, 'wasm chacha20', 'chacha20'),
  ],
  ['seal+open 40 bytes, wasm / raw node:crypto', { atMost: 0.2 }, 'micro', sealed(40, 'wasm chacha20', 'chacha20')],
  [
    'seal+open 1,200 bytes, node backend / raw node:crypto',
    { atMost: 1.15 },
    'micro',
    sealed(1200, 'node aes-128-gcm', 'aes-128-gcm'),
  ],
  [
    'handshake CPU, resumed / node:tls resumed',
    { atMost: 0.7 },
    'handshake-cpu',
    all => all['handshake-cpu'].resumed?.ratio,
  ],
  [
    'handshake CPU, provisioned / node:tls resumed',
    { atMost: 0.7 },
    'handshake-cpu',
    all => all['handshake-cpu'].provisioned?.ratio,
  ],
  [
    'first request, RTT 0, provisioned / TLS 1.3 resumed (node:https)',
    { atMost: 0.5 },
    'first-request',
    all => all['first-request'].ratios?.['tls13-resumed'],
  ],
  [
    'first request, RTT 0, provisioned / new TCP',
    { atMost: 1, isStretch: true },
    'first-request',
    all => all['first-request'].ratios?.tcp,
  ],
  ['first request, RTT 0, provisioned / quic-go 0-RTT', { atMost: 1 }, 'distance', distance('RTT 0', 'quic-go 0rtt')],
  ...[0.5, 1, 3].map(roundTrip => [
    `first request, RTT ${roundTrip} ms, provisioned / new TCP`,
    { atMost: 1 },
    'distance',
    distance(`RTT ${roundTrip} ms`, 'tcp'),
  ]),
  ['slope of latency over RTT, 0-RTT provisioned', { atLeast: 0.9, atMost: 1.1 }, 'distance', slope(OURS)],
  ['slope of latency over RTT, 0-RTT ticket', { atLeast: 0.9, atMost: 1.1 }, 'distance', slope('quic-0rtt-ticket')],
  ['slope of latency over RTT, 1-RTT', { atLeast: 1.9, atMost: 2.1 }, 'distance', slope('quic-1rtt')],
  [
    'answer of 1 MB on a new connection, RTT 0.5 ms, provisioned / new TLS 1.3',
    { atMost: 1 },
    'megabyte',
    all => all.megabyte.ratios?.[`${OURS} / tls13-full`]?.ratio,
  ],
  [`${BULK} bare node:dgram`, { atLeast: 0.55 }, 'bulk', bulk('zerotrip-1452', 'dgram')],
  [`${BULK} aioquic`, { atLeast: 5 }, 'bulk', bulk('zerotrip-1452', 'aioquic')],
  [`${BULK} @currentspace/http3 WASM`, { atLeast: 1 }, 'bulk', bulk('zerotrip-1452', 'rival-wasm')],
  [`${PATH_BULK} @currentspace/http3 native`, { atLeast: 1 }, 'bulk', bulk('zerotrip', 'rival-native')],
  [`${PATH_BULK} quic-go`, { atLeast: 1 }, 'bulk', bulk('zerotrip', 'quic-go')],
  ...[1, 10, 100].flatMap(count => [
    [
      `requests per second, ${count} at once, stream / @currentspace/http3 native`,
      { atLeast: 1.2 },
      'requests',
      requests(`${count} at once`, 'rival'),
    ],
    [
      `requests per second, ${count} at once, stream / node:http2 over TLS`,
      { atLeast: 1, isStretch: true },
      'requests',
      requests(`${count} at once`, 'http2'),
    ],
  ]),
  [
    'cold start, ms of CPU to import zerotrip/http3 beyond bare node',
    { atMost: 25 },
    'cold-start',
    all => all['cold-start'].entries?.['zerotrip/http3']?.beyondCpuMs,
  ],
  [
    'cold start, ms to the first provisioned answer beyond node -e 0',
    { atMost: 40 },
    'cold-start',
    all => all['cold-start'].answer?.beyondMs,
  ],
]

/** A row for each. */
export function judge(results) {
  return targets.map(([target, bound, benchmark, find]) => {
    const value = find(results)
    if (value === undefined) return { target, ...bound, skipped: whyNot(results[benchmark]), isReached: false }
    const isReached = value <= (bound.atMost ?? Number.POSITIVE_INFINITY) && value >= (bound.atLeast ?? 0)
    return { target, ...bound, value, isReached }
  })
}

/** What a benchmark says of what it went without. */
function whyNot({ failed, missing = {} }) {
  const reasons = Object.entries(missing).map(([what, why]) => `${what}: ${why}`)
  return failed ?? (reasons.length > 0 ? reasons.join('; ') : 'not measured')
}
