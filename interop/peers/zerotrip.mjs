// zerotrip itself: what run_endpoint.sh starts.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../endpoint/main.mjs', import.meta.url))
const manifest = new URL('../../package.json', import.meta.url)

function command(testcase, { role, alpn, port, requests, protocols, www, downloads, certs, qlog }) {
  const env = { ROLE: role, TESTCASE: testcase, ALPN: alpn, PORT: String(port), CERTS: certs, QLOGDIR: qlog }
  const place = { WWW: www, DOWNLOADS: downloads, REQUESTS: requests.join(' '), PROTOCOLS: protocols.join(' ') }
  return { file: process.execPath, args: [program], env: { ...env, ...place } }
}

export const zerotrip = {
  name: 'zerotrip',
  alpn: { client: ['hq-interop', 'h3', 'webtransport'], server: ['hq-interop', 'h3', 'webtransport'] },
  install: () => `${JSON.parse(readFileSync(manifest, 'utf8')).version} on Node ${process.version}`,
  client: command,
  server: command,
}
