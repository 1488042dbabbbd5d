// What is transferred, and what arrived.

import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Content that cannot be guessed or compressed: {name: {length, sha256}}. */
export function makeFiles(directory, sizes) {
  const files = {}
  for (const [name, size] of Object.entries(sizes)) {
    const content = randomBytes(size)
    writeFileSync(join(directory, name), content)
    files[name] = { length: size, sha256: sha256(content) }
  }
  return files
}

/** {name: {length, sha256}} of what lies in a directory. */
export function readFiles(directory) {
  const entries = readdirSync(directory).map(name => [name, readFileSync(join(directory, name))])
  return Object.fromEntries(entries.map(([name, content]) => [name, describe(content)]))
}

export function describe(content) {
  return { length: content.length, sha256: sha256(content) }
}

function sha256(content) {
  return createHash('sha256').update(content).digest('hex')
}
