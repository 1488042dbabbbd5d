import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = dirname(fileURLToPath(import.meta.url))
const src = join(root, 'src') + sep

// `npm test` runs the compiled code, the one that ships, so that c8 can measure it through its source maps.
// Plain `npx vitest` runs src directly: no build between an edit and its test.
const runCompiled = {
  name: 'src-to-dist',
  enforce: 'pre' as const,
  resolveId(specifier: string, importer?: string) {
    if (!importer || !specifier.startsWith('.')) return
    const path = resolve(dirname(importer), specifier)
    if (!path.startsWith(src)) return
    return join(root, 'dist', path.slice(src.length).replace(/\.ts$/, '.js'))
  },
}

// `ZEROTRIP_CRYPTO=noble` runs the tests with src/crypto/backend-noble.ts, or another that is called so, wherever they and
// the library would take that of node:crypto or the default one; but those of test/crypto, which are about certain ones.
function oneBackend(name: string) {
  const room = `${src}crypto${sep}`
  const ours = `${name}Backend`
  const from = JSON.stringify(`${room}backend-${name}.ts`)
  const instead = new Map([
    [`${room}backend-node.ts?for-all`, `export { ${ours} as nodeBackend } from ${from}`],
    [
      `${room}backend-wasm.ts?for-all`,
      `export { wasmBackend } from './backend-wasm.ts'; export { ${ours} as defaultBackend } from ${from}`,
    ],
  ])
  const excepted = [room, join(root, 'test/crypto') + sep, join(root, 'test/support/openssl.ts')]
  return {
    name: 'one-backend',
    enforce: 'pre' as const,
    resolveId(specifier: string, importer?: string) {
      if (!importer || !specifier.startsWith('.') || excepted.some(path => importer.startsWith(path))) return
      const id = `${resolve(dirname(importer), specifier)}?for-all`
      return instead.has(id) ? id : undefined
    },
    load: (id: string) => instead.get(id),
  }
}

// Rooms without sockets or clocks: their tests share a process, which halves their time. The others have one each.
const quietRooms = 'bytes,packet,crypto,streams,recovery,qlog,x509,tls13,zero-rtt,connection,conformance,http3,sim,fuzz'
const quiet = `test/{${quietRooms}}/**/*.test.ts`

const compiled = process.env['TEST_COMPILED'] === '1'
const backend = process.env['ZEROTRIP_CRYPTO']
// No business of the programs that tests start.
delete process.env['ZEROTRIP_CRYPTO']

export default defineConfig({
  plugins: [...(compiled ? [runCompiled] : []), ...(backend ? [oneBackend(backend)] : [])],
  test: {
    projects: [
      { extends: true, test: { name: 'quiet', include: [quiet], isolate: false } },
      {
        extends: true,
        test: { name: 'whole', include: ['{test,faas/test}/**/*.test.ts'], exclude: [quiet, 'test/openssl/**'] },
      },
    ],
    pool: 'forks',
    maxWorkers: '100%',
    setupFiles: process.env['NODE_V8_COVERAGE'] ? ['test/support/coverage.ts'] : [],
    server: { deps: { external: [/\/dist\//] } },
    // What a test waits for is a fact; this is for machines that are slow, or busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
  },
})
