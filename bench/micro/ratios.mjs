// What is judged: sums of our figures over sums of what they are compared with, from one run.

import { SIZES } from './packets.mjs'

export function ratiosOf(rows) {
  const ns = new Map(rows.map(row => [row.name, row.ns]))
  const both = (aead, size, by) => sum(['seal', 'open'].map(verb => ns.get(`packets: ${verb} ${aead} ${size} ${by}`)))
  const ratios = {}
  const add = (name, ours, theirs) => {
    const ratio = ours / theirs
    if (Number.isFinite(ratio)) ratios[name] = Number(ratio.toFixed(3))
  }
  for (const size of SIZES) {
    add(
      `seal+open ${size}: wasm chacha20 / raw node:crypto chacha20`,
      both(CHACHA, size, 'wasm'),
      both(CHACHA, size, 'raw'),
    )
    add(
      `seal+open ${size}: wasm chacha20 / raw node:crypto aes-128-gcm`,
      both(CHACHA, size, 'wasm'),
      both(AES, size, 'raw'),
    )
    add(
      `seal+open ${size}: node aes-128-gcm / raw node:crypto aes-128-gcm`,
      both(AES, size, 'node'),
      both(AES, size, 'raw'),
    )
  }
  for (const kind of ['full', 'resumed', 'provisioned']) {
    add(`handshake ${kind}: wasm / node`, ns.get(`handshakes: ${kind} wasm`), ns.get(`handshakes: ${kind} node`))
  }
  return ratios
}

const CHACHA = 'chacha20-poly1305'
const AES = 'aes-128-gcm'

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}
