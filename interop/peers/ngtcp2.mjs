// ngtcp2 as Debian packages it (ngtcp2-client, ngtcp2-server): HTTP/3 alone. It reports in its log.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../lib/child.mjs'
import { readFiles } from '../lib/files.mjs'
import { answering, freePort } from '../lib/udp.mjs'

const CLIENT = '/usr/bin/gtlsclient'
const SERVER = '/usr/sbin/gtlsserver'
const QUIET = ['--no-quic-dump', '--no-http-dump']
/** GnuTLS priority strings. */
const PRIORITY = 'NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL'
const CIPHERS = {
  TLS_AES_128_GCM_SHA256: 'AES-128-GCM',
  TLS_AES_256_GCM_SHA384: 'AES-256-GCM',
  TLS_CHACHA20_POLY1305_SHA256: 'CHACHA20-POLY1305',
}

export const ngtcp2 = {
  name: 'ngtcp2',
  alpn: ['h3'],
  can: {
    client: ['keyUpdate', 'cipherSuites', 'groups', 'migration', 'windows', 'versions', 'upload'],
    server: ['cipherSuites', 'groups'],
  },

  /** Returns the version. Throws when it is not there and cannot be installed. */
  install() {
    const run = (command, ...args) =>
      String(execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 180_000 }))
    if (!existsSync(CLIENT) || !existsSync(SERVER)) {
      if (process.getuid?.() !== 0) throw new Error('needs the Debian packages ngtcp2-client and ngtcp2-server')
      const apt = (...args) => run('apt-get', '-qq', ...args)
      apt('update')
      apt('install', '-y', '--no-install-recommends', 'ngtcp2-client', 'ngtcp2-server')
    }
    return /^Version: ([\d.]+)/m.exec(run('dpkg-query', '-s', 'ngtcp2-client'))[1]
  },

  async serve({ dir, www, credentials }, { retry = false, groups, cipherSuite } = {}) {
    const port = await freePort()
    // It does not start without one, and not every machine has /etc/mime.types.
    const mime = join(dir, 'mime.types')
    writeFileSync(mime, 'application/octet-stream bin\n')
    const args = [...QUIET, '-d', www, '--mime-types-file', mime, ...suites(cipherSuite, groups)]
    if (retry) args.push('--validate-addr')
    args.push('127.0.0.1', String(port), credentials.key, credentials.cert)
    const child = new Child(SERVER, args, { log: join(dir, 'server.log') })
    await answering(port, failsWith(child))
    return {
      port,
      async stop() {
        await child.stop()
        return { connections: serverFacts(child.lines, credentials.leafLength) }
      },
    }
  },

  async fetch(context, options) {
    const { dir, www, credentials } = context
    const { port, names, connections = 1, early = false, groups, cipherSuite, extra = [] } = options
    const facts = []
    let code = 0
    for (let i = 1; i <= connections; i++) {
      const downloads = join(dir, `downloads-${i}`)
      mkdirSync(downloads)
      const args = [...QUIET, '--exit-on-all-streams-close', `--download=${downloads}`, ...suites(cipherSuite, groups)]
      args.push(`--session-file=${join(dir, 'session')}`, `--tp-file=${join(dir, 'parameters')}`)
      if (!early) args.push('--disable-early-data')
      if (options.upload) args.push('--http-method=POST', `--data=${join(www, options.upload)}`)
      if (options.keyUpdate) args.push('--key-update=20ms')
      args.push(...extra, '127.0.0.1', String(port), ...names.map(name => `https://127.0.0.1:${port}/${name}`))
      const env = { SSLKEYLOGFILE: join(dir, 'keys.log') }
      const child = new Child(CLIENT, args, { log: join(dir, `client-${i}.log`), env })
      code ||= (await child.ended).code
      facts.push({
        ...clientFacts(child.lines, credentials.leafLength),
        files: readFiles(downloads),
        lines: child.lines,
      })
    }
    return { code, connections: facts }
  },
}

function suites(cipherSuite, groups) {
  const ciphers = cipherSuite === undefined ? [] : [`--ciphers=${PRIORITY}:+${CIPHERS[cipherSuite]}`]
  return groups === undefined
    ? ciphers
    : [...ciphers, `--groups=-GROUP-ALL:${groups.map(name => `+GROUP-${name}`).join(':')}`]
}

/** Rejects when the program ends: a server has no reason to. */
function failsWith(child) {
  return child.line(() => false)
}

function clientFacts(lines, leafLength) {
  return {
    resumed: isResumed(lines, 'rx', leafLength),
    early:
      lines.some(line => /frm tx \d+ 0RTT STREAM/.test(line)) && !lines.some(line => /data was rejected/.test(line)),
    retry: lines.some(line => /pkt rx .* type=Retry/.test(line)),
    keyUpdated: lines.some(line => /key update confirmed/.test(line)),
    cipherSuite: undefined,
  }
}

/** By connection: each log line of one bears its id. */
function serverFacts(lines, leafLength) {
  const byConnection = new Map()
  for (const line of lines) {
    const id = /^I\d+ (0x[0-9a-f]+) /.exec(line)?.[1]
    if (id === undefined) continue
    if (!byConnection.has(id)) byConnection.set(id, [])
    byConnection.get(id).push(line)
  }
  const sent = lines.some(line => /Sending Retry packet/.test(line))
  const validated = lines.some(line => /Token was successfully validated/.test(line))
  return [...byConnection.values()]
    .filter(own => own.some(line => /Handshake CRYPTO/.test(line)))
    .map(own => ({
      resumed: isResumed(own, 'tx', leafLength),
      early: own.some(line => /frm rx \d+ 0RTT STREAM/.test(line)),
      retry: sent && validated,
    }))
}

/** A server flight shorter than its certificate has none in it. Undefined without a flight. */
function isResumed(lines, direction, leafLength) {
  let end = 0
  for (const line of lines) {
    const found = new RegExp(`frm ${direction} \\d+ Handshake CRYPTO\\(0x06\\) offset=(\\d+) len=(\\d+)`).exec(line)
    if (found) end = Math.max(end, Number(found[1]) + Number(found[2]))
  }
  return end === 0 ? undefined : end < leafLength
}
