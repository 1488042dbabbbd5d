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

// `ZEROTRIP_CRYPTO=noble` runs the tests with src/crypto/backend-noble.ts (or any other that is called so) wherever they
// and the library would take the one of node:crypto.
function otherBackend(name: string) {
  const file = `${src}crypto/backend-${name}.ts`
  const instead = `${src}crypto/backend-node.ts?${name}`
  return {
    name: 'crypto-backend',
    enforce: 'pre' as const,
    resolveId(specifier: string, importer?: string) {
      if (!importer || !specifier.startsWith('.') || importer === join(root, 'test/support/openssl.ts')) return
      return resolve(dirname(importer), specifier) === `${src}crypto/backend-node.ts` ? instead : undefined
    },
    load: (id: string) =>
      id === instead ? `export { ${name}Backend as nodeBackend } from ${JSON.stringify(file)}` : undefined,
  }
}

// Rooms without sockets or clocks: their tests share a process, which halves their time. The others have one each.
const quietRooms = 'bytes,packet,crypto,streams,recovery,qlog,x509,tls13,zero-rtt,connection,conformance,http3,sim,fuzz'
const quiet = `test/{${quietRooms}}/**/*.test.ts`

const compiled = process.env['TEST_COMPILED'] === '1'
const backend = process.env['ZEROTRIP_CRYPTO'] ?? 'node'

export default defineConfig({
  plugins: [...(compiled ? [runCompiled] : []), ...(backend === 'node' ? [] : [otherBackend(backend)])],
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
