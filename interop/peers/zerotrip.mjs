// Our side: the program `zerotrip`, as built.

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../lib/child.mjs'
import { readFiles } from '../lib/files.mjs'
import { answering } from '../lib/udp.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const program = join(here, '..', '..', 'dist', 'cli', 'main.js')
const uploads = join(here, 'upload.mjs')

export const zerotrip = {
  name: 'zerotrip',

  async serve({ dir, www, credentials }, { retry = false, early = false, upload = false, cipherSuite } = {}) {
    const qlog = join(dir, 'zerotrip-qlog')
    let args = [program, 'serve', '--host', '127.0.0.1', '--port', '0', '--root', www, '--qlog', qlog]
    args.push('--cert', credentials.cert, '--key', credentials.key, ...suite(cipherSuite))
    if (retry) args.push('--retry')
    if (early) args.push('--early')
    if (upload) args = [uploads, 'serve', credentials.cert, credentials.key, qlog]
    const env = { SSLKEYLOGFILE: join(dir, 'keys.log') }
    const child = new Child(process.execPath, args, { log: join(dir, 'server.log'), env })
    const line = await child.line(text => /^serving .* on https:/.test(text))
    const port = Number(/:(\d+)\//.exec(line)[1])
    const versions = await answering(
      port,
      child.line(() => false),
    )
    return {
      port,
      versions,
      async stop() {
        await child.stop()
        return { connections: serverFacts(qlog, credentials.leafLength) }
      },
    }
  },

  async fetch(context, options) {
    if (options.upload) return post(context, options)
    const { dir, credentials } = context
    const { port, names, alpn = 'h3', connections = 1, early = false, trust = 'ca', cipherSuite } = options
    const urls = names.map(name => `https://localhost:${port}/${name}`)
    const facts = []
    let code = 0
    for (let i = 1; i <= connections; i++) {
      const downloads = join(dir, `downloads-${i}`)
      mkdirSync(downloads)
      const args = [program, 'get', ...urls, '-o', downloads, '--alpn', alpn, '--json', ...suite(cipherSuite)]
      args.push('--session', join(dir, 'session.json'), '--qlog', join(dir, 'zerotrip-qlog'), '--timeout', '60')
      args.push(...(trust === 'ca' ? ['--ca', credentials.ca] : ['--insecure']))
      if (early) args.push('--early')
      const env = { SSLKEYLOGFILE: join(dir, 'keys.log') }
      const child = new Child(process.execPath, args, { log: join(dir, `client-${i}.log`), env })
      code ||= (await child.ended).code
      const report = child.lines.find(line => line.startsWith('{'))
      if (report === undefined) throw new Error(`zerotrip get says: ${child.lines.slice(-2).join(' | ')}`)
      facts.push({ ...clientFacts(JSON.parse(report)), files: readFiles(downloads) })
    }
    return { code, connections: facts }
  },
}

async function post({ dir, www, credentials }, { port, names: [name], upload }) {
  const downloads = join(dir, 'downloads')
  mkdirSync(downloads)
  const args = [uploads, 'post', `https://localhost:${port}/${name}`, join(www, upload), join(downloads, name)]
  args.push(credentials.ca, join(dir, 'zerotrip-qlog'))
  const env = { SSLKEYLOGFILE: join(dir, 'keys.log') }
  const child = new Child(process.execPath, args, { log: join(dir, 'client.log'), env })
  const { code } = await child.ended
  return { code, connections: [{ files: readFiles(downloads) }] }
}

function suite(name) {
  return name === undefined ? [] : ['--cipher-suites', name]
}

function clientFacts({ connections: [connection], errors }) {
  const { resumed, earlyData, cipherSuite, group } = connection
  return { resumed, early: earlyData === 'accepted', cipherSuite, group, errors }
}

/** From the qlog of each connection, in the order they began. */
function serverFacts(directory, leafLength) {
  // There is none before the first connection; the endpoint's own log is of none.
  const names = (existsSync(directory) ? readdirSync(directory) : []).filter(name => !name.startsWith('endpoint_'))
  const logs = names.map(name => readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean).map(parse))
  return logs
    .sort((a, b) => begin(a) - begin(b))
    .map(([, ...events]) => {
      const packets = (name, type) =>
        events.filter(({ name: event, data }) => event === name && data.header.packet_type === type)
      const flight = packets('quic:packet_sent', 'handshake')
        .flatMap(({ data }) => data.frames)
        .filter(frame => frame.frame_type === 'crypto')
        .map(frame => frame.offset + frame.raw.payload_length)
      const early = packets('quic:packet_received', '0RTT').flatMap(({ data }) => data.frames)
      return {
        // A server flight shorter than its certificate has none in it.
        resumed: flight.length === 0 ? undefined : Math.max(...flight) < leafLength,
        early: early.some(frame => frame.frame_type === 'stream'),
      }
    })
}

/** A line of a JSON text sequence (RFC 7464). */
function parse(line) {
  return JSON.parse(line.slice(line.indexOf('{')))
}

function begin([header]) {
  return Date.parse(header.trace.common_fields.reference_time.wall_clock_time)
}
