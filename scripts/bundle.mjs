// After tsc: one file for each entry of the package, and a few that entries share, so that a cold process opens a
// handful of files and not hundreds. What is shared is shared: all entries see the same objects.

import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const {
  exports,
  dependencies = {},
  peerDependencies = {},
} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const entries = Object.values(exports).flatMap(({ default: file }) =>
  file?.startsWith('./dist/bundle/') ? [file.replace('/bundle/', '/')] : [],
)

rmSync(new URL('../dist/bundle', import.meta.url), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outbase: 'dist',
  outdir: 'dist/bundle',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: Object.keys({ ...dependencies, ...peerDependencies }).flatMap(name => [name, `${name}/*`]),
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  logLevel: 'warning',
})
