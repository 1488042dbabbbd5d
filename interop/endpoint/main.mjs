// An endpoint of the quic-interop-runner: what to do is in the environment.
//
//     ROLE server or client, TESTCASE, REQUESTS (of a client: URLs), SSLKEYLOGFILE, QLOGDIR
//     PROTOCOLS: WebTransport, with these protocols; then a server may have REQUESTS, too
//     outside of its container also WWW, DOWNLOADS, CERTS (directories), PORT, ALPN (of a client: instead of hq-interop)
//
// Ends with 127 for a test case it does not know, with 1 when something was not fetched.

import { download } from './client.mjs'
import { serveFiles } from './server.mjs'
import { serveSessions, visitSession } from './webtransport.mjs'

const UNSUPPORTED = 127
const env = process.env
const place = {
  www: env.WWW ?? '/www',
  downloads: env.DOWNLOADS ?? '/downloads',
  certs: env.CERTS ?? '/certs',
  port: Number(env.PORT ?? 443),
  qlog: env.QLOGDIR || undefined,
  alpn: env.ALPN ?? (env.TESTCASE === 'http3' ? 'h3' : 'hq-interop'),
  requests: words(env.REQUESTS),
  protocols: words(env.PROTOCOLS),
}
const roles =
  place.protocols.length > 0
    ? { server: serveSessions, client: visitSession }
    : { server: serveFiles, client: download }

const run = roles[env.ROLE]
if (run === undefined) {
  console.error(`ROLE is server or client, not '${env.ROLE}'`)
  process.exit(1)
}
try {
  if (!(await run(env.TESTCASE, place))) {
    console.error(`no test case '${env.TESTCASE}' for a ${env.ROLE}`)
    process.exit(UNSUPPORTED)
  }
} catch (error) {
  console.error(error)
  process.exit(1)
}

function words(text = '') {
  return text.split(' ').filter(Boolean)
}
