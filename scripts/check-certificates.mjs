// Does OpenSSL agree about every chain of test/vectors/x509/chains.json? Asked of the certificates kept there, and of the
// same ones made anew, which we judge too. Where it does not agree, the table says why; a why that is not needed fails.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeBackend } from '../dist/crypto/backend-node.js'
import { ChainVerifier } from '../dist/x509/chain.js'
import { pemBlocks } from '../dist/x509/pem.js'

const kept = new URL('../test/vectors/x509/', import.meta.url).pathname
const table = JSON.parse(readFileSync(join(kept, 'chains.json'), 'utf8'))
const faults = []
const work = mkdtempSync(join(tmpdir(), 'zerotrip-certificates-'))
try {
  check('kept', kept)
  run('bash', join(kept, 'make.sh'), work)
  check('new', work)
} finally {
  rmSync(work, { recursive: true })
}
for (const fault of faults) console.error(fault)
const differing = table.filter(row => row.openssl).length
console.log(`${table.length} chains, ${faults.length} faults; OpenSSL differs about ${differing}, as the table says`)
process.exitCode = faults.length > 0 ? 1 : 0

function check(which, folder) {
  const certificates = readCertificates(folder)
  for (const row of table) {
    const chain = textsOf(certificates, row.chain)
    const roots = textsOf(certificates, row.roots ?? 'ca')
    const isGood = row.reason === undefined
    const ours = judge(row, chain, roots)
    if (ours !== row.reason) faults.push(`${which}: ${row.name}: we say ${ours ?? 'good'}, not ${row.reason ?? 'good'}`)
    const { isTrusted, why } = askOpenssl(row, chain, roots)
    const isAgreed = isTrusted === isGood
    if (isAgreed === (row.openssl !== undefined)) {
      faults.push(`${which}: ${row.name}: OpenSSL says ${isTrusted ? 'good' : why}, which the table did not expect`)
    }
  }
}

/** By name, in PEM. */
function readCertificates(folder) {
  const text = readFileSync(join(folder, 'scenarios.pem'), 'latin1')
  const blocks = text.matchAll(/^(\S+)\n(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----)/gm)
  const certificates = new Map(Array.from(blocks, block => [block[1], block[2]]))
  return certificates.set('ca', readFileSync(join(folder, 'ca.pem'), 'latin1').trim())
}

function textsOf(certificates, names) {
  return names
    .split(' ')
    .filter(Boolean)
    .map(name => certificates.get(name))
}

function judge(row, chain, roots) {
  const verifier = new ChainVerifier(nodeBackend, roots.map(toDer))
  try {
    if (row.client) verifier.verifyClient(chain.map(toDer), timeOf(row))
    else verifier.verify(chain.map(toDer), hostOf(row), timeOf(row))
    return undefined
  } catch (error) {
    return error.reason ?? error.stack
  }
}

function askOpenssl(row, [leaf, ...others], roots) {
  const file = (name, texts) => {
    writeFileSync(join(work, name), `${texts.join('\n')}\n`)
    return join(work, name)
  }
  const host = hostOf(row)
  const { status, stdout, stderr } = spawnSync('openssl', [
    ...['verify', '-no-CAfile', '-no-CApath', '-no-CAstore', '-partial_chain', '-auth_level', '2', '-check_ss_sig'],
    ...['-attime', String(timeOf(row) / 1000), '-purpose', row.client ? 'sslclient' : 'sslserver'],
    ...(row.client ? [] : [isIP(host) ? '-verify_ip' : '-verify_hostname', host]),
    ...(roots.length > 0 ? ['-trusted', file('roots.pem', roots)] : []),
    ...(others.length > 0 ? ['-untrusted', file('others.pem', others)] : []),
    file('leaf.pem', [leaf]),
  ])
  return { isTrusted: status === 0, why: `${stdout}${stderr}`.match(/error \d+ .*/)?.[0] ?? `${stderr}` }
}

function hostOf(row) {
  return row.host ?? 'host.example.test'
}

function timeOf(row) {
  return Date.parse(row.time ?? '2025-01-01T00:00:00Z')
}

function toDer(text) {
  return pemBlocks(text, 'CERTIFICATE')[0]
}

function run(command, ...args) {
  const { status, stderr } = spawnSync(command, args)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
