// A certificate authority and a server certificate made for one run, by openssl: not by the code under test.

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** {ca, cert, key}: paths of PEM files in `directory`; `leafLength`: bytes of the certificate itself. */
export function makeCredentials(directory) {
  const path = name => join(directory, name)
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 10_000 })
  const files = { ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') }
  const caKey = path('ca.key')
  openssl('req', '-x509', ...P256, '-keyout', caKey, '-out', files.ca, '-days', '2', '-subj', '/CN=interop CA')
  openssl('req', ...P256, '-keyout', files.key, '-out', path('leaf.csr'), '-subj', '/CN=localhost')
  const extensions = [
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
  ]
  writeFileSync(path('leaf.ext'), `${extensions.join('\n')}\n`)
  const signing = ['-CA', files.ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', path('leaf.ext')]
  openssl('x509', '-req', '-in', path('leaf.csr'), ...signing, '-out', files.cert)
  return { ...files, leafLength: new X509Certificate(readFileSync(files.cert)).raw.length }
}
