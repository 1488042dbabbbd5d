// Is the package that would be published in order? Packs it, then asks publint and are-the-types-wrong.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const directory = mkdtempSync(join(tmpdir(), 'zerotrip-pack-'))
const run = (stdout, command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', stdout, 'inherit'] })
try {
  const [{ filename, files }] = JSON.parse(
    run('pipe', 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', directory),
  )
  const tarball = join(directory, filename)
  const strangers = files
    .map(file => file.path)
    .filter(path => !/^(dist|src)\/|^(README\.md|LICENSE|package\.json)$/.test(path))
  if (strangers.length > 0) throw new Error(`does not belong into the package: ${strangers.join(', ')}`)
  run('inherit', 'npx', '--no-install', 'publint', tarball, '--strict')
  // The package is ESM only: CommonJS programs reach it by dynamic import, or by require on Node >= 22.12.
  run('inherit', 'npx', '--no-install', 'attw', tarball, '--profile', 'esm-only')
  console.log(`${files.length} files, ${filename}`)
} finally {
  rmSync(directory, { recursive: true })
}
