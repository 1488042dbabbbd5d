// curl (Debian 13) as a client, on the QUIC of OpenSSL: HTTP/3 over version 1.

import { basename, join } from 'node:path'
import { environment } from './environment.mjs'
import { commandIn, run, unpackPackages } from './trixie.mjs'

const CASES = ['handshake', 'transfer', 'retry', 'http3', 'multiconnect', 'upload']
/** For more than a server takes at once it opens another connection; credit for more comes when answers are acknowledged. */
const AT_ONCE = '50'
/** It stays where it is; and its connection ids are empty, so that nobody but the server can tell whose packets come from
 * another address. */
const NOT = ['connectionmigration', 'rebind-port', 'rebind-addr']
let root

export const curl = {
  name: 'curl',
  alpn: { client: ['h3'], server: [] },

  install(cache) {
    root = unpackPackages(cache)
    const { file, args } = commandIn(root, 'usr/bin/curl', ['--version'])
    const [, version, openssl] = /^curl (\S+) .*(OpenSSL\/\S+)/.exec(run(file, ...args))
    return `${version} with ${openssl}`
  },

  client(testcase, context) {
    if (!CASES.includes(testcase) || NOT.includes(context.test)) return undefined
    const { requests } = context
    const groups = testcase === 'multiconnect' ? requests.map(each => [each]) : [requests]
    if (testcase === 'upload') return upload(requests[0], context)
    return groups.map(urls => fetch(urls, context))
  },

  server: () => undefined,
}

function fetch(urls, context) {
  const args = urls.length > 1 ? ['--parallel', '--parallel-max', AT_ONCE] : []
  return command([...args, '--output-dir', context.downloads, '--remote-name-all', ...urls], context)
}

function upload(url, context) {
  return command(['--upload-file', join(context.www, basename(url)), url], context)
}

function command(options, context) {
  const args = ['--http3-only', '--no-progress-meter', '--fail', '--cacert', `${context.certs}/ca.pem`, ...options]
  return { ...commandIn(root, 'usr/bin/curl', args), env: environment(context) }
}
