// What is tried with every peer, in both directions, and what must be true afterwards. Bytes and facts decide, never an
// exit code: Debian's ngtcp2 exits with 0 even when it got nothing.

import { Relay } from './lib/udp.mjs'

export const SIZES = { '1k.bin': 1024, '10m.bin': 10 << 20 }
const KILOBYTE = ['1k.bin']
const MEGABYTES = ['1k.bin', '10m.bin']

/** Small files for many streams at once. */
export const SMALL = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`small-${i}.bin`, 32 + i]))

export const RECEIPT = 'receipt.txt'

/**
 * `needs`: an ability the peer must have, in the role it has. `alpn`: default every protocol of the peer.
 * `server`, `client`: options for them. `check`: more that must be true, of {client, server, relay, context}.
 */
export const cases = [
  { name: 'transfer', isQuick: true, client: { names: KILOBYTE } },
  { name: 'large', isQuick: true, client: { names: MEGABYTES } },
  {
    name: 'resumption',
    isQuick: true,
    client: { names: KILOBYTE, connections: 2 },
    check: facts => resumes(facts, false),
  },
  {
    name: '0-rtt',
    isQuick: true,
    server: { early: true },
    client: { names: KILOBYTE, connections: 2, early: true },
    check: facts => resumes(facts, true),
  },
  {
    name: 'retry',
    isQuick: true,
    server: { retry: true },
    client: { names: KILOBYTE },
    check({ client, server }) {
      const reports = [...client.connections, ...server.connections].map(each => each.retry)
      expect(reports.includes(true) && !reports.includes(false), 'the peer reports no Retry')
    },
  },
  {
    name: 'upload',
    needs: 'upload',
    alpn: ['h3'],
    server: { upload: true },
    // The answer says what the server got.
    client: { names: [RECEIPT], upload: '10m.bin' },
  },
  { name: 'multiplexing', client: { names: Object.keys(SMALL) } },
  {
    name: 'loss',
    relay: { loss: 0.03 },
    client: { names: MEGABYTES },
    check: ({ relay }) => expect(relay.dropped > 50, `only ${relay.dropped} datagrams were lost`),
  },
  {
    name: 'rebinding',
    relay: { rebindEvery: 1 << 20 },
    client: { names: MEGABYTES },
    check: ({ relay }) => expect(relay.ports > 5, 'the port did not change'),
  },
  {
    name: 'key-update',
    needs: 'keyUpdate',
    client: { names: MEGABYTES, keyUpdate: true },
    check: ({ client }) => expect(client.connections[0].keyUpdated === true, 'no key update was confirmed'),
  },
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].map(cipherSuite => ({
    name: `suite ${cipherSuite.split('_')[1].toLowerCase()}-${cipherSuite.split('_')[2].toLowerCase()}`,
    needs: 'cipherSuites',
    alpn: ['h3'],
    server: { cipherSuite },
    client: { names: KILOBYTE, cipherSuite },
    check({ client }) {
      const said = client.connections[0].cipherSuite
      expect(said === undefined || said === cipherSuite, `negotiated ${said}`)
    },
  })),
  {
    name: 'hello-retry',
    needs: 'groups',
    // The first gets the client's key share, so that the server, ours, has to ask for another.
    server: { groups: ['SECP256R1'] },
    client: { names: KILOBYTE, groups: ['SECP521R1', 'SECP256R1'] },
    check({ client }) {
      const said = client.connections[0].group
      expect(said === undefined || /^P-?256$/.test(said), `negotiated ${said}`)
    },
  },
  {
    name: 'migration',
    needs: 'migration',
    client: { names: MEGABYTES, extra: ['--change-local-addr=20ms'] },
    check({ client }) {
      const [{ lines }] = client.connections
      expect(
        lines.some(line => /frm rx .*PATH_RESPONSE/.test(line)),
        'the new path was not answered for',
      )
    },
  },
  {
    name: 'small-windows',
    needs: 'windows',
    client: {
      names: MEGABYTES,
      extra: [
        '--max-data=20000',
        '--max-stream-data-bidi-local=10000',
        '--max-window=20000',
        '--max-stream-window=10000',
      ],
    },
  },
  {
    name: 'versions',
    needs: 'versions',
    client: { names: KILOBYTE, extra: ['--version=0xfaceb00c'] },
    isWithoutFiles: true,
    check({ client, context }) {
      const [{ lines }] = client.connections
      expect(
        lines.some(line => /ERR_RECV_VERSION_NEGOTIATION/.test(line)),
        'no Version Negotiation was received',
      )
      expect(context.versions.includes(1), 'version 1 is not offered')
    },
  },
]

/** Runs one case; returns notes worth keeping. Throws an Error that says what was not as it must be. */
export async function runCase(each, { server: serverPeer, client: clientPeer, alpn, context, files }) {
  const server = await serverPeer.serve(context, each.server)
  context.versions = server.versions
  const relay = each.relay && (await Relay.start(server.port, each.relay))
  let client
  let facts
  try {
    client = await clientPeer.fetch(context, { ...each.client, alpn, port: relay?.port ?? server.port })
  } finally {
    facts = await server.stop()
    relay?.stop()
  }
  context.facts = { client, server: facts }
  const { connections = 1, names } = each.client
  expect(client.connections.length === connections, `${client.connections.length} of ${connections} connections`)
  for (const connection of client.connections) {
    if (!each.isWithoutFiles) expectFiles(connection.files, names, files)
  }
  each.check?.({ client, server: facts, relay, context })
}

/** Exactly the files asked for, byte for byte. */
function expectFiles(arrived, names, files) {
  for (const name of names) {
    const found = arrived[name]
    expect(found !== undefined, `${name} did not arrive`)
    expect(found.length === files[name].length, `${name} has ${found.length} of ${files[name].length} bytes`)
    expect(found.sha256 === files[name].sha256, `${name} arrived with other bytes`)
  }
  const others = Object.keys(arrived).filter(name => !names.includes(name))
  expect(others.length === 0, `nobody asked for ${others}`)
}

/** Both sides must say so: first a full handshake, then a resumed one, with early data accepted or without any. */
function resumes({ client, server }, isEarly) {
  for (const [role, { connections }] of Object.entries({ client, server })) {
    const [first, second] = connections
    expect(connections.length === 2, `the ${role} reports ${connections.length} connections`)
    expect(first.resumed === false, `the ${role} says that the first connection was resumed`)
    expect(second.resumed === true, `the ${role} says that the second connection was not resumed`)
    expect(!first.early, `the ${role} reports early data on the first connection`)
    expect(second.early === isEarly, `the ${role} reports ${second.early ? '' : 'no '}early data`)
  }
}

function expect(isTrue, message) {
  if (!isTrue) throw new Error(message)
}
