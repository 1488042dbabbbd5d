// Sealing and opening a packet, header protection included, by every backend; beside them the bare AEAD calls of
// node:crypto, which protect no header.

import { equal } from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'
import { nodeBackend, wasmBackend } from 'zerotrip'
import { nobleBackend } from 'zerotrip/crypto/noble'
import { cipherSuite } from '../../dist/crypto/cipher-suite.js'

export const SIZES = [40, 300, 1200, 1452, 8900, 32_000]
const SUITES = [0x1301, 0x1302, 0x1303]
const TAG = 16
/** First byte, id of 8 bytes, number of 2 bytes. */
const NUMBER_OFFSET = 9
const HEADER = 11
const NUMBER = 5

export function subjects() {
  const all = []
  for (const id of SUITES) {
    const suite = cipherSuite(id)
    for (const size of SIZES) {
      const given = material(suite, size)
      all.push(...raw(suite, size, given))
      for (const backend of [nodeBackend, wasmBackend, nobleBackend]) all.push(...protect(backend, suite, size, given))
    }
  }
  return all
}

function material(suite, size) {
  const random = length => nodeBackend.random(length)
  const header = random(HEADER)
  header[0] = 0x41
  return { key: random(suite.keyLength), hp: random(suite.keyLength), iv: random(12), header, payload: random(size) }
}

function protect(backend, suite, size, given) {
  const headerKey = backend.headerKey(suite, given.hp)
  const key = backend.packetKey(suite, given.key, given.iv, headerKey)
  const out = backend.packetBuffer(HEADER + size + TAG)
  const name = `${suite.aead} ${size} ${backend.name}`
  const seal = () => {
    out[0] = 0x41
    return key.seal(out, 0, NUMBER_OFFSET, 2, HEADER + size, NUMBER)
  }
  const fill = () => {
    out.set(given.header)
    out[NUMBER_OFFSET] = 0
    out[NUMBER_OFFSET + 1] = NUMBER
    out.set(given.payload, HEADER)
  }
  fill()
  seal()
  const sealed = out.slice()
  const incoming = new Uint8Array(sealed.length)
  // The packet is written anew each time, as the network does it: that is part of the time.
  const open = () => {
    incoming.set(sealed)
    headerKey.unmask(incoming, 0, NUMBER_OFFSET)
    return key.open(incoming, 0, HEADER, sealed.length, NUMBER)
  }
  return [
    {
      name: `seal ${name}`,
      run: seal,
      check() {
        fill()
        seal()
        equal(hex(out), hex(reference(suite, given)))
      },
    },
    { name: `open ${name}`, run: open, check: () => equal(hex(open()), hex(given.payload)) },
  ]
}

/** What any backend must make of it: sealed by node's. */
function reference(suite, given) {
  const header = nodeBackend.headerKey(suite, given.hp)
  const packet = new Uint8Array(HEADER + given.payload.length + TAG)
  packet.set(given.header)
  packet[NUMBER_OFFSET] = 0
  packet[NUMBER_OFFSET + 1] = NUMBER
  packet.set(given.payload, HEADER)
  const key = nodeBackend.packetKey(suite, given.key, given.iv, header)
  key.seal(packet, 0, NUMBER_OFFSET, 2, HEADER + given.payload.length, NUMBER)
  return packet
}

function raw({ aead }, size, { key, iv, header, payload }) {
  const secret = createSecretKey(key)
  const options = { authTagLength: TAG }
  const seal = () => {
    const cipher = createCipheriv(aead, secret, iv, options)
    cipher.setAAD(header)
    const text = cipher.update(payload)
    cipher.final()
    return [text, cipher.getAuthTag()]
  }
  const [text, tag] = seal()
  const open = () => {
    const decipher = createDecipheriv(aead, secret, iv, options)
    decipher.setAAD(header)
    decipher.setAuthTag(tag)
    const plain = decipher.update(text)
    decipher.final()
    return plain
  }
  const check = () => equal(hex(open()), hex(payload))
  return [
    { name: `seal ${aead} ${size} raw`, run: seal, check },
    { name: `open ${aead} ${size} raw`, run: open, check },
  ]
}

function hex(bytes) {
  return Buffer.from(bytes).toString('hex')
}
