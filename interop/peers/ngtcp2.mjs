// ngtcp2 (Debian), by the example programs it packages: HTTP/3 alone. Debian 12 has 0.12.1, which is older than version 2
// of QUIC (RFC 9369); Debian 13 has 1.11.

import { existsSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { commandIn, run, unpackPackages, versionIn } from './trixie.mjs'

const CLIENT = 'usr/bin/gtlsclient'
const SERVER = 'usr/sbin/gtlsserver'
const PACKAGES = ['ngtcp2-client', 'ngtcp2-server']
const QUIET = ['--no-quic-dump', '--no-http-dump']
/** ms; its own is 10 s, of which 30 % loss takes more. */
const PATIENT = '--handshake-timeout=60s'
/** A GnuTLS priority string. */
const CHACHA20 = '--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+CHACHA20-POLY1305'
const VERSION_2 = '--preferred-versions=0x6b3343cf,0x1'
const PREFERRED_PORT = 4443

const BOTH = ['handshake', 'transfer', 'chacha20', 'retry', 'resumption', 'zerortt', 'http3', 'multiconnect', 'ecn']

export const ngtcp2 = peer('ngtcp2', {
  /** Throws when it is not there and cannot be installed. */
  install() {
    if (!existsSync(join('/', CLIENT)) || !existsSync(join('/', SERVER))) {
      if (process.getuid?.() !== 0) throw new Error(`needs the Debian packages ${PACKAGES.join(' and ')}`)
      const apt = (...args) => run('apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...args)
      apt('update')
      apt('install', '--yes', '--no-install-recommends', ...PACKAGES)
    }
    return /^Version: ([\d.]+)/m.exec(run('dpkg-query', '-s', PACKAGES[0]))[1]
  },
  command: (program, args) => ({ file: join('/', program), args }),
  cases: BOTH,
})

let root
export const newerNgtcp2 = peer('ngtcp2-1.11', {
  install(cache) {
    root = unpackPackages(cache)
    return versionIn(root, PACKAGES[0])
  },
  command: (program, args) => commandIn(root, program, args),
  cases: [...BOTH, 'v2'],
  // A ticket may come after the last answer.
  whenResuming: ['--wait-for-ticket'],
})

function peer(name, { install, command, cases, whenResuming = [] }) {
  return {
    name,
    alpn: { client: ['h3'], server: ['h3'] },
    install,

    client(testcase, context) {
      if (![...cases, 'keyupdate', 'upload'].includes(testcase)) return undefined
      return connections(testcase, context).map(({ requests, isResumed, isResumable }) => {
        const session = [
          `--session-file=${join(context.logs, 'session')}`,
          `--tp-file=${join(context.logs, 'parameters')}`,
        ]
        const args = [...QUIET, PATIENT, '--exit-on-all-streams-close', `--qlog-dir=${context.qlog}`]
        args.push(...(CLIENT_OPTIONS[testcase] ?? []))
        if (testcase === 'upload') args.push('--http-method=PUT', `--data=${join(context.www, basename(requests[0]))}`)
        else args.push(`--download=${context.downloads}`)
        if (isResumable || isResumed) args.push(...session)
        if (isResumable) args.push(...whenResuming)
        if (testcase !== 'zerortt') args.push('--disable-early-data')
        return { ...command(CLIENT, [...args, context.host, String(context.port), ...requests]), env: {} }
      })
    },

    server(testcase, context) {
      if (![...cases, 'connectionmigration', 'helloretry'].includes(testcase)) return undefined
      // It does not start without one, and not every machine has /etc/mime.types.
      const types = join(context.logs, 'mime.types')
      writeFileSync(types, 'application/octet-stream bin\n')
      const args = [...QUIET, PATIENT, '-d', context.www, `--mime-types-file=${types}`, `--qlog-dir=${context.qlog}`]
      args.push(...(SERVER_OPTIONS[testcase]?.(context) ?? []))
      const key = name => join(context.certs, name)
      return { ...command(SERVER, [...args, '*', String(context.port), key('priv.key'), key('cert.pem')]), env: {} }
    },
  }
}

const CLIENT_OPTIONS = {
  chacha20: [CHACHA20],
  keyupdate: ['--key-update=100ms'],
  // The runner takes packets that look for a larger MTU for data that should have been early.
  zerortt: ['--no-pmtud'],
  // Begins with version 1, but likes the other better.
  v2: ['--version=0x1', '--available-versions=0x6b3343cf,0x1'],
}

const SERVER_OPTIONS = {
  chacha20: () => [CHACHA20],
  retry: () => ['--validate-addr'],
  v2: () => [VERSION_2],
  // Clients begin with a share of another one.
  helloretry: () => ['--groups=-GROUP-ALL:+GROUP-SECP384R1'],
  connectionmigration: ({ addresses: { ipv4, ipv6 } }) => [
    `--preferred-ipv4-addr=${ipv4}:${PREFERRED_PORT}`,
    `--preferred-ipv6-addr=[${ipv6}]:${PREFERRED_PORT}`,
  ],
}

/** Each is a process. */
function connections(testcase, { requests }) {
  const [first, ...others] = requests
  if (testcase === 'multiconnect') return requests.map(each => ({ requests: [each] }))
  if (testcase !== 'resumption' && testcase !== 'zerortt') return [{ requests }]
  return [
    { requests: [first], isResumable: true },
    { requests: others, isResumed: true },
  ]
}
