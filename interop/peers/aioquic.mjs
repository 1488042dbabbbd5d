// aioquic (PyPI), driven by the two programs beside this file.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../lib/child.mjs'
import { answering, freePort } from '../lib/udp.mjs'

const VERSION = '1.7.2'
const here = dirname(fileURLToPath(import.meta.url))
let python

export const aioquic = {
  name: 'aioquic',
  alpn: ['h3', 'hq-interop'],
  can: { client: ['keyUpdate', 'cipherSuites', 'upload'], server: ['cipherSuites', 'upload'] },

  /** Into a virtual environment of its own; returns the version. Throws when there is no Python or no registry. */
  install(cache) {
    const environment = join(cache, `aioquic-${VERSION}`)
    python = join(environment, 'bin', 'python')
    const run = (command, ...args) =>
      execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 })
    const ask = () => String(run(python, '-c', 'import aioquic; print(aioquic.__version__)')).trim()
    if (existsSync(python)) {
      try {
        return ask()
      } catch {
        // Begun once and not finished.
      }
    }
    run('python3', '-m', 'venv', '--clear', environment)
    run(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `aioquic==${VERSION}`)
    return ask()
  },

  async serve({ dir, www, credentials }, { retry = false } = {}) {
    const port = await freePort()
    const qlog = join(dir, 'server-qlog')
    mkdirSync(qlog)
    const args = [join(here, 'aioquic_server.py'), '--port', String(port), '--root', www, '--qlog', qlog]
    args.push('--cert', credentials.cert, '--key', credentials.key, '--keylog', join(dir, 'keys.log'))
    const child = new Child(python, retry ? [...args, '--retry'] : args, { log: join(dir, 'server.log') })
    await child.line(line => line.includes('"ready"'))
    await answering(port, child.ended)
    return {
      port,
      async stop() {
        await child.stop()
        const used = qlogs(qlog).map(text => /"retry_source_connection_id"/.test(text))
        const reports = events(child, 'handshake')
        return { connections: reports.map(({ resumed, early }) => ({ resumed, early, retry: used.includes(true) })) }
      },
    }
  },

  async fetch({ dir, www, credentials }, options) {
    const { port, names, alpn = 'h3', connections = 1, early = false, trust = 'ca' } = options
    const qlog = join(dir, 'client-qlog')
    mkdirSync(qlog)
    const args = [join(here, 'aioquic_client.py'), '--alpn', alpn, '--connections', String(connections)]
    args.push('--qlog', qlog, '--keylog', join(dir, 'keys.log'), '--server-name', 'localhost')
    if (early) args.push('--early')
    if (trust === 'ca') args.push('--ca', credentials.ca)
    if (options.upload) args.push('--post', join(www, options.upload))
    if (options.keyUpdate) args.push('--key-update')
    if (options.cipherSuite) args.push('--cipher-suite', options.cipherSuite)
    args.push(...names.map(name => `https://127.0.0.1:${port}/${name}`))
    const child = new Child(python, args, { log: join(dir, 'client.log') })
    const { code } = await child.ended
    const retries = qlogs(qlog).map(text => /"packet_type": "retry"/.test(text))
    return { code, connections: groupByHandshake(child).map(each => ({ ...each, retry: retries.includes(true) })) }
  },
}

function events(child, name) {
  const parsed = child.lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line))
  return name === undefined ? parsed : parsed.filter(({ event }) => event === name)
}

/** What the client says, by connection. */
function groupByHandshake(child) {
  const groups = []
  for (const { event, path, resumed, early, cipherSuite, keyUpdated, length, sha256 } of events(child)) {
    if (event === 'handshake') groups.push({ resumed, early, cipherSuite, files: {} })
    else if (event === 'response') groups.at(-1).files[path.slice(1)] = { length, sha256 }
    else if (event === 'keyUpdated') groups.at(-1).keyUpdated = keyUpdated
  }
  return groups
}

function qlogs(directory) {
  return readdirSync(directory).map(name => readFileSync(join(directory, name), 'utf8'))
}
