// Certificates that somebody bent, by seed: whatever comes, it is refused with a CertificateError, or it was good.

import { expect, test } from 'vitest'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { nobleBackend } from '../../src/crypto/backend-noble.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { checkCertificateHash } from '../../src/x509/certificate-hash.ts'
import { ChainVerifier } from '../../src/x509/chain.ts'
import { keyType } from '../../src/x509/signature-algorithm.ts'
import { integer, seededRandom } from '../reference/random.ts'
import { testTime } from '../support/certificates.ts'
import { chainOf } from './scenarios.ts'

const chains = [
  'under-lower lower middle',
  'under-sub-example sub-example for-example',
  'in-organization for-organization',
  'mail-inside for-example',
  'pss-sha256 root-rsa',
  'p384-sha384 root-p384',
  'ed25519 root-ed25519',
  'names ca',
].map(chainOf)
const roots = chainOf('ca root-rsa root-p384 root-ed25519')

/** Believes every signature, so that what is behind them is reached with what nobody signed. */
const credulous: CryptoBackend = { ...nodeBackend, verify: () => true }

test('bent certificates give a CertificateError and nothing else', () => {
  const random = dice(5280)
  const reasons = new Map<string, number>()
  const verifier = new ChainVerifier(credulous, roots)
  for (let round = 0; round < ROUNDS; round++) {
    const chain = (chains[round % chains.length] as Uint8Array[]).slice()
    const at = random(chain.length)
    const bent = bend(chain[at] as Uint8Array, random)
    chain[at] = bent
    const reason = outcome(() => verifier.verify(chain, 'host.example.test', testTime))
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    outcome(() => checkCertificateHash(nodeBackend, [nodeBackend.hash('sha256', bent)], bent, testTime))
    outcome(() => keyType(parseCertificate(bent).publicKey))
  }
  // The mutations reach beyond the parser.
  expect(reasons.size).toBeGreaterThan(6)
})

test('both crypto backends say the same of bent keys and signatures', () => {
  const random = dice(6979)
  const verifiers = [nodeBackend, nobleBackend].map(backend => new ChainVerifier(backend, roots))
  const reasons = new Set<string>()
  for (let round = 0; round < ROUNDS / 12; round++) {
    const chain = (chains[round % chains.length] as Uint8Array[]).slice()
    const at = random(chain.length)
    const certificate = (chain[at] as Uint8Array).slice()
    const { publicKey, signature } = parseCertificate(certificate)
    const part = random(2) === 0 ? publicKey : signature
    part[random(part.length)] = random(256)
    chain[at] = certificate
    const [node, noble] = verifiers.map(verifier =>
      outcome(() => verifier.verify(chain, 'host.example.test', testTime)),
    )
    expect(noble).toBe(node)
    reasons.add(node as string)
  }
  expect(reasons).toContain('badSignature')
})

test('noise is malformed', () => {
  const random = dice(690)
  for (let round = 0; round < ROUNDS; round++) {
    const noise = Uint8Array.from({ length: random(200) }, () => random(256))
    if (round % 2 === 0) noise.set([0x30, Math.max(noise.length - 2, 0)].slice(0, noise.length))
    expect(outcome(() => parseCertificate(noise))).toBe('malformed')
  }
})

const ROUNDS = 1000

function outcome(work: () => void): string {
  try {
    work()
    return 'good'
  } catch (error) {
    if (error instanceof CertificateError) return error.reason
    throw error
  }
}

type Random = (below: number) => number

function dice(seed: number): Random {
  const random = seededRandom(seed)
  return below => integer(random, below)
}

/** One to three changes: bytes, elements cut out, doubled or moved, lengths that lie, contents replaced. */
function bend(der: Uint8Array, random: Random): Uint8Array {
  let bytes = der
  for (let times = 1 + random(3); times > 0 && bytes.length > 8; times--) {
    bytes = (bends[random(bends.length)] as (bytes: Uint8Array, random: Random) => Uint8Array)(bytes, random)
  }
  return bytes
}

const bends: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => bytes.with(random(bytes.length), random(256)),
  (bytes, random) => bytes.with(random(bytes.length), [0, 1, 0x7f, 0x80, 0xff, 0x30, 0xa0][random(7)] as number),
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => replaceElement(bytes, random, () => new Uint8Array(0)),
  (bytes, random) => replaceElement(bytes, random, element => Uint8Array.of(...element, ...element)),
  (bytes, random) => replaceElement(bytes, random, element => element.with(0, random(256))),
  (bytes, random) => replaceElement(bytes, random, () => elementAt(bytes, random(elements(bytes).length))),
  (bytes, random) => replaceElement(bytes, random, element => element.fill(random(256), 2)),
]

/** Where elements begin and end, those inside of others too, strings that hold DER as well. */
function elements(bytes: Uint8Array, start = 0, end = bytes.length): [number, number][] {
  const found: [number, number][] = []
  for (let at = start; at + 2 <= end; ) {
    const header = headerAt(bytes, at)
    if (header === undefined || at + header.size + header.length > end) break
    const next = at + header.size + header.length
    found.push([at, next])
    const isConstructed = ((bytes[at] as number) & 0x20) !== 0
    if (isConstructed || bytes[at] === 0x04) found.push(...elements(bytes, at + header.size, next))
    at = next
  }
  return found
}

function headerAt(bytes: Uint8Array, at: number): { size: number; length: number } | undefined {
  const first = bytes[at + 1] as number
  if (first < 0x80) return { size: 2, length: first }
  const size = first & 0x7f
  if (size < 1 || size > 2 || at + 2 + size > bytes.length) return undefined
  const length = size === 1 ? bytes[at + 2] : ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
  return { size: 2 + size, length: length as number }
}

function elementAt(bytes: Uint8Array, index: number): Uint8Array {
  const [start, end] = elements(bytes)[index] ?? [0, 0]
  return bytes.slice(start, end)
}

/** Puts another element in the place of one, and mends the lengths of all around it: what follows is read as before. */
function replaceElement(bytes: Uint8Array, random: Random, make: (element: Uint8Array) => Uint8Array): Uint8Array {
  const all = elements(bytes)
  const chosen = all[random(all.length)]
  if (chosen === undefined) return bytes
  const [start, end] = chosen
  let made = make(bytes.slice(start, end))
  let [from, to] = [start, end]
  for (const [outerStart, outerEnd] of all.filter(([s, e]) => s < start && e >= end).reverse()) {
    const header = headerAt(bytes, outerStart) as { size: number }
    const contents = [bytes.subarray(outerStart + header.size, from), made, bytes.subarray(to, outerEnd)]
    made = wrap(bytes[outerStart] as number, contents)
    ;[from, to] = [outerStart, outerEnd]
  }
  return Uint8Array.of(...bytes.subarray(0, from), ...made, ...bytes.subarray(to))
}

function wrap(tag: number, contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, part) => sum + part.length, 0)
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Uint8Array.of(tag, ...size, ...contents.flatMap(part => Array.from(part)))
}
