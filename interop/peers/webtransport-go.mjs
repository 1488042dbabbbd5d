// webtransport-go (Go modules), by its own programs for the runner: unchanged, with /www and the rest at their places.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = join(dirname(fileURLToPath(import.meta.url)), 'webtransport-go')
const MODULE = 'github.com/quic-go/webtransport-go'
/** In a root directory that is made for it in its own mount namespace. */
const SCRIPT = `
for place in www downloads certs logs etc; do mkdir -p root/$place; done
mount --bind "$WWW" root/www && mount --bind "$DOWNLOADS" root/downloads && mount --bind "$CERTS" root/certs &&
mount --bind . root/logs && mount --rbind /etc root/etc || exit 1
cp "$PROGRAM" root/program
exec chroot root /program`
let programs

export const webtransportGo = {
  name: 'webtransport-go',
  alpn: { client: ['webtransport'], server: ['webtransport'] },

  /** Without the C library, so that they need no files. */
  install(cache) {
    programs = join(cache, 'peers', 'webtransport-go')
    mkdirSync(programs, { recursive: true })
    const tools = ['client', 'server'].map(role => `${MODULE}/interop/${role}`)
    const env = { ...process.env, CGO_ENABLED: '0' }
    execFileSync('go', ['build', '-p', '2', '-o', programs, ...tools], { cwd: source, env, stdio: 'pipe' })
    return new RegExp(`${MODULE} v(\\S+)`).exec(readFileSync(join(source, 'go.mod'), 'utf8'))[1]
  },

  client: (_, context) => command('client', context),
  server: (_, context) => command('server', context),
}

/** The log of its secrets is one of `logs`. */
function command(role, { testcase, requests, protocols, www, downloads, certs }) {
  const task = { ROLE: role, TESTCASE: testcase, REQUESTS: requests.join(' '), PROTOCOLS: protocols.join(' ') }
  const places = { WWW: www, DOWNLOADS: downloads, CERTS: certs, PROGRAM: join(programs, role) }
  const logs = { SSLKEYLOGFILE: '/logs/keys.log', QLOGDIR: '/logs/qlog/' }
  return { file: '/bin/sh', args: ['-c', SCRIPT], env: { ...task, ...places, ...logs } }
}
