// Chromium (Debian), headless, as a client: HTTP/3 over version 1 of QUIC. It keeps its tickets for itself.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from './environment.mjs'
import { run } from './trixie.mjs'

const BROWSER = '/usr/bin/chromium'
const program = join(dirname(fileURLToPath(import.meta.url)), 'chromium', 'client.mjs')
const CASES = ['handshake', 'transfer', 'retry', 'http3', 'ecn']
/** Its connection ids are empty: nobody but the server can tell whose packets come from another address. */
const UNSEEN = ['rebind-port', 'rebind-addr', 'connectionmigration']
/** It gives up a handshake in which nothing came for 4 seconds. */
const IMPATIENT = ['amplificationlimit']

export const chromium = {
  name: 'chromium',
  alpn: { client: ['h3', 'webtransport'], server: [] },

  /** Throws when it is not there and cannot be installed. */
  install() {
    if (!existsSync(BROWSER)) {
      if (process.getuid?.() !== 0) throw new Error('needs the Debian package chromium')
      const apt = (...args) => run('apt-get', '-qq', '-o', 'DPkg::Lock::Timeout=300', ...args)
      apt('update')
      apt('install', '--yes', '--no-install-recommends', 'chromium')
    }
    return /^Version: ([\d.]+)/m.exec(run('dpkg-query', '-s', 'chromium'))[1]
  },

  client(testcase, context) {
    const isSupported = context.alpn === 'webtransport' || CASES.includes(testcase)
    if (!isSupported || [...UNSEEN, ...IMPATIENT].includes(context.test)) return undefined
    const { host, addresses } = context
    const address = host === 'server6' ? `[${addresses.ipv6}]` : addresses.ipv4
    const env = { ...environment(context), BROWSER, RESOLVE: `${host} ${address}` }
    return { file: process.execPath, args: [program], env }
  },

  server: () => undefined,
}
