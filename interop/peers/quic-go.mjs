// quic-go (Go modules), by the program in quic-go/.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from './environment.mjs'

const source = join(dirname(fileURLToPath(import.meta.url)), 'quic-go')
const BOTH = [
  'handshake',
  'transfer',
  'chacha20',
  'retry',
  'resumption',
  'zerortt',
  'http3',
  'multiconnect',
  'ecn',
  'upload',
]
let program

export const quicGo = {
  name: 'quic-go',
  alpn: { client: ['hq-interop', 'h3'], server: ['hq-interop', 'h3'] },

  /** Go's own cache makes this quick when nothing has changed. */
  install(cache) {
    program = join(cache, 'peers', 'quic-go')
    execFileSync('go', ['build', '-p', '2', '-o', program, '.'], { cwd: source, stdio: ['ignore', 'pipe', 'pipe'] })
    return /quic-go\/quic-go v(\S+)/.exec(readFileSync(join(source, 'go.mod'), 'utf8'))[1]
  },

  client(testcase, context) {
    if (![...BOTH, 'keyupdate'].includes(testcase)) return undefined
    return { file: program, args: [], env: environment(context) }
  },

  /** It has no preferred address and no compatible version negotiation. */
  server(testcase, context) {
    return [...BOTH, 'helloretry'].includes(testcase)
      ? { file: program, args: [], env: environment(context) }
      : undefined
  },
}
