// aioquic (PyPI), by the programs in aioquic/.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from './environment.mjs'

const source = join(dirname(fileURLToPath(import.meta.url)), 'aioquic')
const requirements = join(source, 'requirements.txt')
const CASES = [
  'handshake',
  'transfer',
  'chacha20',
  'retry',
  'resumption',
  'zerortt',
  'http3',
  'multiconnect',
  'v2',
  'upload',
]
let python

export const aioquic = {
  name: 'aioquic',
  alpn: { client: ['hq-interop', 'h3'], server: ['hq-interop', 'h3'] },

  /** Into a virtual environment of its own. Throws when there is no Python or no registry. */
  install(cache) {
    const version = /^aioquic==(\S+)/m.exec(readFileSync(requirements, 'utf8'))[1]
    const directory = join(cache, 'peers', `aioquic-${version}`)
    python = join(directory, 'bin', 'python')
    if (installed() === version) return version
    run('python3', '-m', 'venv', '--clear', directory)
    run(python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--require-hashes', '-r', requirements)
    return installed()
  },

  /** It sends a share of every group it knows: none is left to ask for. */
  client(testcase, context) {
    if (![...CASES, 'keyupdate'].includes(testcase) || context.test === 'helloretry') return undefined
    return command('client.py', context)
  },

  /** It offers no preferred address; neither side knows ECN. */
  server(testcase, context) {
    return CASES.includes(testcase) ? command('server.py', context) : undefined
  },
}

function command(program, context) {
  return { file: python, args: [join(source, program)], env: environment(context) }
}

/** The version in the virtual environment; undefined: none, or one that was begun and not finished. */
function installed() {
  try {
    return run(python, '-c', 'import aioquic; print(aioquic.__version__)').trim()
  } catch {
    return undefined
  }
}

function run(command, ...args) {
  return execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8', timeout: 180_000 })
}
