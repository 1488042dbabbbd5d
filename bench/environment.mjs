// Where and when something was measured: numbers without it mean nothing.

import { execFileSync } from 'node:child_process'
import { cpus, release, type } from 'node:os'

export function environment() {
  const [cpu] = cpus()
  return {
    node: process.version,
    openssl: process.versions.openssl,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    system: `${type()} ${release()}`,
    commit: commit(),
    date: new Date().toISOString(),
  }
}

/** Undefined outside of a git work tree. */
function commit() {
  try {
    const options = { cwd: import.meta.dirname, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
    return execFileSync('git', ['describe', '--always', '--dirty'], options).trim()
  } catch {
    return undefined
  }
}
