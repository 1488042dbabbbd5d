// The test cases of the quic-interop-runner, https://github.com/quic-interop/quic-interop-runner, in its order: what is
// transferred, over which link, and how it is judged, apart from the files themselves.

import {
  agreesOn,
  all,
  asksForAnotherShare,
  changesIds,
  followsRetry,
  goodput,
  handshakes,
  keepsAmplificationLimit,
  marksEcn,
  negotiatesVersion2,
  noRetry,
  oneHandshake,
  onlyChaCha20,
  onlyIpv6,
  onlyVersion1,
  raisesStreamLimit,
  repeatsClientHello,
  resumes,
  seesAddresses,
  sendsEarlyData,
  updatesKeys,
  validatesPaths,
} from './lib/checks.mjs'

const KB = 1 << 10
const MB = 1 << 20
const HANDSHAKES = 50
const handshakeFiles = { files: Array(HANDSHAKES).fill(KB), check: all(handshakes(HANDSHAKES), onlyVersion1) }
const rebinding = { rebind: [1, 5] }
const session = { group: 'WebTransport', alpn: 'webtransport', isSession: true, files: [], check: oneHandshake }
const datagrams = Array.from({ length: 200 }, (_, i) => 600 + 2 * i)
const own = { group: 'Beyond the runner', files: [100 * KB] }

/**
 * `testcase`: what both sides are told, or { client, server }; default the name. `files`: their sizes. `link`: beyond 15 ms
 * each way, 10 Mbit/s and 25 packets of queue. `check`: of the traces, after the files; what it returns is kept.
 * `timeout`: seconds, default 60. `isQuick`: for CI. `group`: other than what the runner does by itself. `ours`: what
 * zerotrip is told in place of `testcase`. `goesToServer`: the client has the files. `isSession`: over WebTransport.
 */
export const cases = [
  { name: 'handshake', files: [KB], check: all(oneHandshake, noRetry) },
  { name: 'transfer', files: [2 * MB, 3 * MB, 5 * MB], check: oneHandshake },
  {
    name: 'longrtt',
    testcase: 'handshake',
    link: { delay: 750 },
    files: [KB],
    check: all(oneHandshake, repeatsClientHello),
  },
  { name: 'chacha20', files: [3 * MB], check: all(oneHandshake, onlyChaCha20) },
  {
    name: 'multiplexing',
    testcase: 'transfer',
    files: Array(1999).fill(32),
    check: all(oneHandshake, raisesStreamLimit),
  },
  { name: 'retry', isQuick: true, files: [10 * KB], check: all(oneHandshake, followsRetry) },
  { name: 'resumption', isQuick: true, files: [5 * KB, 10 * KB], check: all(handshakes(2), onlyVersion1, resumes) },
  {
    name: 'zerortt',
    isQuick: true,
    files: Array(40).fill(32),
    nameLength: 250,
    check: all(handshakes(2), onlyVersion1, sendsEarlyData),
  },
  { name: 'http3', isQuick: true, alpn: 'h3', files: [5 * KB, 10 * KB, 500 * KB], check: oneHandshake },
  { name: 'blackhole', testcase: 'transfer', link: { blackhole: [5, 2] }, files: [10 * MB], check: oneHandshake },
  {
    name: 'keyupdate',
    isQuick: true,
    testcase: { client: 'keyupdate', server: 'transfer' },
    files: [3 * MB],
    check: all(oneHandshake, updatesKeys),
  },
  { name: 'ecn', files: [100 * KB], check: all(oneHandshake, noRetry, marksEcn) },
  {
    name: 'amplificationlimit',
    testcase: 'transfer',
    isQuick: true,
    link: { 'drop-to-server': '2,3,4,5,6,7' },
    chain: 9,
    files: [5 * KB],
    check: all(oneHandshake, keepsAmplificationLimit),
  },
  { name: 'handshakeloss', testcase: 'multiconnect', link: { loss: 30 }, ...handshakeFiles, timeout: 300 },
  { name: 'transferloss', testcase: 'transfer', link: { loss: 2 }, files: [2 * MB], check: oneHandshake },
  { name: 'handshakecorruption', testcase: 'multiconnect', link: { corruption: 30 }, ...handshakeFiles, timeout: 300 },
  { name: 'transfercorruption', testcase: 'transfer', link: { corruption: 2 }, files: [2 * MB], check: oneHandshake },
  {
    name: 'ipv6',
    testcase: 'transfer',
    host: 'server6',
    files: [5 * KB, 10 * KB],
    check: all(oneHandshake, onlyIpv6),
  },
  { name: 'v2', isQuick: true, files: [KB], check: negotiatesVersion2 },
  {
    name: 'rebind-port',
    testcase: 'transfer',
    link: rebinding,
    files: [10 * MB],
    check: all(oneHandshake, validatesPaths),
  },
  {
    name: 'rebind-addr',
    testcase: 'transfer',
    link: { ...rebinding, 'rebind-address': true },
    files: [10 * MB],
    check: all(oneHandshake, seesAddresses, validatesPaths),
  },
  {
    name: 'connectionmigration',
    testcase: { client: 'transfer', server: 'connectionmigration' },
    isQuick: true,
    host: 'server46',
    files: [2 * MB],
    check: all(oneHandshake, validatesPaths, changesIds),
  },
  {
    name: 'goodput',
    testcase: 'transfer',
    isMeasurement: true,
    files: [10 * MB],
    check: all(oneHandshake, goodput(10 * MB)),
  },
  {
    name: 'crosstraffic',
    testcase: 'transfer',
    isMeasurement: true,
    hasCrossTraffic: true,
    files: [25 * MB],
    check: all(oneHandshake, goodput(25 * MB)),
    timeout: 180,
  },

  // What the runner has for WebTransport.
  { ...session, name: 'wt-handshake', testcase: 'handshake' },
  ...['unidirectional', 'bidirectional', 'datagram'].flatMap(way => {
    const files = way === 'datagram' ? datagrams : [100 * KB, 500 * KB, 250 * KB, MB, 2 * MB]
    const name = `transfer-${way}`
    return [
      {
        ...session,
        name: `wt-${way}-receive`,
        testcase: { client: `${name}-receive`, server: 'transfer' },
        files,
      },
      {
        ...session,
        name: `wt-${way}-send`,
        testcase: { client: 'transfer', server: `${name}-send` },
        files,
        goesToServer: true,
      },
    ]
  }),

  // What it does not have.
  { ...own, name: 'aes128', testcase: 'transfer', ours: 'aes128', check: all(oneHandshake, agreesOn(0x1301)) },
  { ...own, name: 'aes256', testcase: 'transfer', ours: 'aes256', check: all(oneHandshake, agreesOn(0x1302)) },
  {
    ...own,
    name: 'helloretry',
    testcase: { client: 'handshake', server: 'helloretry' },
    check: all(oneHandshake, asksForAnotherShare),
  },
  { ...own, name: 'upload', alpn: 'h3', files: [5 * MB], goesToServer: true, check: oneHandshake },
]
