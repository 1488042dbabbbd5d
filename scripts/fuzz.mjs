// Compiles the fuzzer (test/fuzz) with the sources it needs to .cache/fuzz, puts the certificates of the tests beside it,
// and runs it with the same arguments.

import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1

const status = run(tsc, '-p', 'test/fuzz')
if (status !== 0) process.exit(status)
cpSync(`${root}/test/vectors/x509`, `${root}/.cache/fuzz/test/vectors/x509`, { recursive: true })
process.exitCode = run(
  '--enable-source-maps',
  '--single-threaded-gc',
  '.cache/fuzz/test/fuzz/main.js',
  ...process.argv.slice(2),
)
