// Compiles the simulation (test/sim) with the sources it needs to .cache/sim, puts the certificates of the tests beside
// it, and runs it with the same arguments.

import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1

const status = run(tsc, '-p', 'test/sim')
if (status !== 0) process.exit(status)
cpSync(`${root}/test/vectors/x509`, `${root}/.cache/sim/test/vectors/x509`, { recursive: true })
// Workers keep all cores busy: collectors of garbage that wait for each other would only stand in their way.
process.exitCode = run(
  '--enable-source-maps',
  '--single-threaded-gc',
  '.cache/sim/test/sim/main.js',
  ...process.argv.slice(2),
)
