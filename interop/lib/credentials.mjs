// A certificate authority and server certificates made for one run, by openssl: not by the code under test.

import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
const NAMES = ['server', 'server4', 'server6', 'server46', 'localhost']
/** What makes a long chain long: alternative names of 250 bytes. */
const PADDING_NAMES = 20

/** Makes `directory` with priv.key, cert.pem and ca.pem, as the quic-interop-runner does. `length`: of the chain. */
export function makeCredentials(directory, length = 1) {
  mkdirSync(directory, { recursive: true })
  const path = name => join(directory, name)
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 })
  openssl(
    'req',
    '-x509',
    ...P256,
    '-keyout',
    path('0.key'),
    '-out',
    path('0.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=interop CA',
  )
  for (let i = 1; i <= length; i++) {
    const isLeaf = i === length
    const subject = isLeaf ? 'interop leaf' : `interop intermediate ${i}`
    openssl('req', ...P256, '-keyout', path(`${i}.key`), '-out', path('csr'), '-subj', `/CN=${subject}`)
    writeFileSync(path('ext'), `${(isLeaf ? leaf(length > 1) : intermediate).join('\n')}\n`)
    const issuer = ['-CA', path(`${i - 1}.pem`), '-CAkey', path(`${i - 1}.key`), '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      path('csr'),
      ...issuer,
      '-days',
      '2',
      '-extfile',
      path('ext'),
      '-out',
      path(`${i}.pem`),
    )
  }
  writeFileSync(path('cert.pem'), '')
  for (let i = length; i >= 1; i--) appendFileSync(path('cert.pem'), readFileSync(path(`${i}.pem`)))
  writeFileSync(path('ca.pem'), readFileSync(path('0.pem')))
  writeFileSync(path('priv.key'), readFileSync(path(`${length}.key`)))
}

const intermediate = ['basicConstraints=critical,CA:TRUE,pathlen:100', 'keyUsage=critical,keyCertSign']

function leaf(isLong) {
  const padding = isLong ? Array.from({ length: PADDING_NAMES }, (_, i) => `${i}.${longName()}`) : []
  return [
    `subjectAltName=${[...NAMES, ...padding].map(name => `DNS:${name}`).join(',')},IP:127.0.0.1`,
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
  ]
}

/** Labels of 60 bytes. */
function longName() {
  return Array.from({ length: 4 }, () => 'x'.repeat(60)).join('.')
}
