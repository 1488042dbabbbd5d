// The walls of the house (ARCHITECTURE.md), kept by a machine: floors, doors, no cycle, no clock and no chance below
// the endpoint. The table is the documentation.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Room {
  readonly floor: number
  /** Files that other rooms may import; 'all' for a room without inner rooms. */
  readonly doors: 'all' | readonly string[]
  /** Rooms this one may import; those of its own floor or above never. */
  readonly uses: readonly string[]
}

const rooms: Readonly<Record<string, Room>> = {
  bytes: { floor: 0, doors: 'all', uses: [] },
  packet: { floor: 1, doors: 'all', uses: ['bytes'] },
  crypto: {
    floor: 1,
    doors: [
      'backend.ts',
      'backend-node.ts',
      'backend-noble.ts',
      'backend-wasm.ts',
      'fresh-node.ts',
      'cipher-suite.ts',
      'hkdf.ts',
      'initial-keys.ts',
      'key-update.ts',
      'packet-protection.ts',
      'retry-integrity.ts',
    ],
    uses: ['bytes'],
  },
  qlog: { floor: 2, doors: ['recorder.ts', 'qlog-writer.ts'], uses: ['bytes', 'packet'] },
  x509: {
    floor: 2,
    doors: ['certificate.ts', 'certificate-error.ts', 'certificate-hash.ts', 'chain.ts', 'issue.ts', 'pem.ts'],
    uses: ['bytes', 'crypto'],
  },
  streams: { floor: 2, doors: ['stream-set.ts', 'crypto-stream.ts'], uses: ['bytes', 'packet'] },
  recovery: {
    floor: 2,
    doors: [
      'recovery.ts',
      'received-packets.ts',
      'sent-packets.ts',
      'mtu-discovery.ts',
      'congestion/bbr.ts',
      'congestion/controller.ts',
      'congestion/cubic.ts',
      'congestion/new-reno.ts',
    ],
    uses: ['bytes', 'packet'],
  },
  tls13: {
    floor: 3,
    doors: ['session.ts', 'ports.ts', 'alert.ts', 'certificate-policy.ts'],
    uses: ['bytes', 'packet', 'crypto', 'x509'],
  },
  'zero-rtt': {
    floor: 4,
    doors: [
      'address-token.ts',
      'anti-replay.ts',
      'bundle.ts',
      'generator.ts',
      'provisioned-client.ts',
      'provisioned-server.ts',
      'psk-sources.ts',
      'remembered-parameters.ts',
      'resumption.ts',
      'ticket-sealer.ts',
      'ticket-store.ts',
    ],
    uses: ['bytes', 'packet', 'crypto', 'tls13'],
  },
  connection: {
    floor: 5,
    doors: [
      'answers.ts',
      'connection.ts',
      'config.ts',
      'events.ts',
      'local-ids.ts',
      'path.ts',
      'preferred-address.ts',
      'statistics.ts',
    ],
    uses: ['bytes', 'packet', 'crypto', 'qlog', 'streams', 'recovery', 'tls13', 'zero-rtt'],
  },
  http3: {
    floor: 5,
    doors: [
      'client.ts',
      'client-exchange.ts',
      'server.ts',
      'early-data.ts',
      'error-codes.ts',
      'fetch.ts',
      'field.ts',
      'fields.ts',
      'hq.ts',
      'request-stream.ts',
      'server-request.ts',
      'settings.ts',
      'transport.ts',
      'tunnel-request.ts',
      'webtransport/client.ts',
      'webtransport/error.ts',
      'webtransport/hub.ts',
      'webtransport/server.ts',
      'webtransport/session.ts',
    ],
    uses: ['bytes'],
  },
  endpoint: {
    floor: 6,
    doors: [
      'application.ts',
      'channels.ts',
      'clock.ts',
      'closing.ts',
      'endpoint.ts',
      'endpoint-options.ts',
      'errors.ts',
      'incoming.ts',
      'listener.ts',
      'options.ts',
      'quic-session.ts',
      'quic-stream.ts',
      'worker-ids.ts',
    ],
    uses: ['bytes', 'packet', 'crypto', 'qlog', 'x509', 'tls13', 'zero-rtt', 'connection'],
  },
  platform: { floor: 7, doors: [], uses: ['bytes', 'crypto', 'tls13', 'zero-rtt', 'connection', 'endpoint'] },
  web: {
    floor: 7,
    doors: 'all',
    uses: ['bytes', 'crypto', 'x509', 'tls13', 'zero-rtt', 'connection', 'http3', 'endpoint'],
  },
  undici: { floor: 8, doors: [], uses: ['web'] },
}

/** What every room may read: the bounds on what a peer can make us do. It imports nothing. */
const ground = 'limits.ts'
/** Package entries stand outside: they show what is inside and hold nothing themselves. */
const entries = [
  'index.ts',
  'core.ts',
  'crypto-noble.ts',
  'http3/index.ts',
  'platform/index.ts',
  'undici/index.ts',
  'zero-rtt/index.ts',
]
/** Where node's own modules may be used at all. */
const nodeBackend: ReadonlySet<string> = new Set([
  'crypto/backend-node.ts',
  'crypto/finish-node.ts',
  'crypto/fresh-node.ts',
  'crypto/key-exchange-node.ts',
  'crypto/ml-kem-node.ts',
])
const nodeAllowed = (file: string): boolean => nodeBackend.has(file) || floorOf(file) >= 6
/** RFC 9000 knows no promise; HTTP/3's outermost layer speaks fetch. */
const promisesAllowed = (file: string): boolean => floorOf(file) >= 6 || roomOf(file) === 'http3'

const src = join(dirname(fileURLToPath(import.meta.url)), '..', 'src')
const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map(file => file.split('\\').join('/'))
  .filter(file => file.endsWith('.ts'))
const texts = new Map(files.map(file => [file, readFileSync(join(src, file), 'utf8')]))

function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : ''
}

function floorOf(file: string): number {
  const room = roomOf(file)
  if (file === ground) return 0
  // The command line lives on the street: it imports the entries alone.
  return entries.includes(file) || room === 'cli' ? 8 : (rooms[room]?.floor ?? Number.NaN)
}

function importsOf(file: string): string[] {
  const text = texts.get(file) as string
  return Array.from(text.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g), match => (match[1] ?? match[2]) as string)
}

function localImports(file: string): string[] {
  return importsOf(file)
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => posix.normalize(posix.join(posix.dirname(file), specifier)))
}

/** Code without comments and strings: what the search for forbidden words looks at. */
function codeOf(file: string): string {
  return (texts.get(file) as string)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$|(?<=[\s;{}(),])\/\/.*$/gm, '')
    .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
}

test('every file stands in a room', () => {
  const homeless = files.filter(file => Number.isNaN(floorOf(file)))
  expect(homeless).toEqual([])
})

test('imports go down the floors, through the doors', () => {
  const wrong: string[] = []
  for (const file of files) {
    if (entries.includes(file)) continue
    for (const target of localImports(file)) {
      const from = roomOf(file)
      const to = roomOf(target)
      if (from === to || target === ground) continue
      if (from === 'cli') {
        if (!entries.includes(target)) wrong.push(`${file} -> ${target}: the command line uses the package's entries`)
        continue
      }
      const room = rooms[from]
      const inner = target.slice(to.length + 1)
      const doors = rooms[to]?.doors
      if (!room?.uses.includes(to)) wrong.push(`${file} -> ${target}: ${from} does not use ${to}`)
      else if (doors !== 'all' && !doors?.includes(inner)) wrong.push(`${file} -> ${target}: not a door`)
    }
  }
  expect(wrong).toEqual([])
})

test('the limits stand on nothing', () => {
  expect(importsOf(ground)).toEqual([])
})

test('the table itself goes down only', () => {
  for (const [name, room] of Object.entries(rooms)) {
    for (const used of room.uses) expect(rooms[used]?.floor, `${name} uses ${used}`).toBeLessThan(room.floor)
  }
})

test('every use and every door in the table is needed', () => {
  const used = new Set<string>()
  for (const file of files) {
    for (const target of localImports(file)) {
      if (target === ground || (roomOf(target) === roomOf(file) && !entries.includes(file))) continue
      if (!entries.includes(file)) used.add(`${roomOf(file)} -> ${roomOf(target)}`)
      used.add(target)
    }
  }
  const idle: string[] = []
  for (const [name, room] of Object.entries(rooms)) {
    for (const other of room.uses) if (!used.has(`${name} -> ${other}`)) idle.push(`${name} -> ${other}`)
    if (room.doors !== 'all') {
      for (const door of room.doors) if (!used.has(`${name}/${door}`)) idle.push(`${name}/${door}`)
    }
  }
  expect(idle).toEqual([])
})

test('no import cycle', () => {
  const done = new Set<string>()
  const path: string[] = []
  const cycles: string[] = []
  const visit = (file: string): void => {
    if (path.includes(file)) {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const target of localImports(file)) if (texts.has(target)) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of files) visit(file)
  expect(cycles).toEqual([])
})

test('no clock, no chance, no timer below the endpoint', () => {
  const forbidden = /\b(Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|process|Math\.random)\b/
  // Which Node it is, is known before anything happens.
  const codeBelow = (file: string): string =>
    nodeBackend.has(file) ? codeOf(file).replaceAll('process.versions', '') : codeOf(file)
  const wrong = files.filter(file => floorOf(file) < 6 && forbidden.test(codeBelow(file)))
  expect(wrong).toEqual([])
})

test('no promise below the endpoint, but at the edge of HTTP/3', () => {
  const wrong = files.filter(file => !promisesAllowed(file) && /\b(Promise|async|await)\b/.test(codeOf(file)))
  expect(wrong).toEqual([])
})

test("node's modules are used by the node backend and from the endpoint up", () => {
  const wrong = files.filter(file => !nodeAllowed(file) && importsOf(file).some(name => name.startsWith('node:')))
  expect(wrong).toEqual([])
})

test('the clock is read in one file of the endpoint', () => {
  const clock = /\b(Date\.now|performance\.now)\b/
  const wrong = files.filter(file => roomOf(file) !== 'cli' && file !== 'endpoint/clock.ts' && clock.test(codeOf(file)))
  expect(wrong).toEqual([])
})

test('files are short', () => {
  const long = files.filter(file => (texts.get(file) as string).split('\n').length > 401)
  expect(long).toEqual([])
})

test('named exports only', () => {
  const wrong = files.filter(file => /^export default\b/m.test(texts.get(file) as string))
  expect(wrong).toEqual([])
})
