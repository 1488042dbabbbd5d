// What is transferred, and what arrived.

import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME_LENGTH = 12

/** Files of these sizes that cannot be guessed or compressed: {name: {length, sha256}}. */
export function makeFiles(directory, sizes, nameLength = NAME_LENGTH) {
  const files = {}
  for (const size of sizes) {
    const name = randomName(nameLength)
    const content = randomBytes(size)
    writeFileSync(join(directory, name), content)
    files[name] = describe(content)
  }
  return files
}

/** Throws unless exactly these files lie in the directory, byte for byte. */
export function expectFiles(directory, files) {
  const names = existsSync(directory) ? readdirSync(directory) : []
  const others = names.filter(name => !Object.hasOwn(files, name))
  if (others.length > 0) throw new Error(`nobody asked for ${others.slice(0, 3)}`)
  const missing = Object.keys(files).filter(name => !names.includes(name))
  if (missing.length > 0) throw new Error(`${missing.length} of ${Object.keys(files).length} files did not arrive`)
  for (const [name, { length, sha256 }] of Object.entries(files)) {
    const found = describe(readFileSync(join(directory, name)))
    if (found.length !== length) throw new Error(`${name} has ${found.length} of ${length} bytes`)
    if (found.sha256 !== sha256) throw new Error(`${name} arrived with other bytes`)
  }
}

function describe(content) {
  return { length: content.length, sha256: createHash('sha256').update(content).digest('hex') }
}

export function randomName(length = NAME_LENGTH) {
  return Array.from(randomBytes(length), byte => String.fromCharCode(97 + (byte % 26))).join('')
}
