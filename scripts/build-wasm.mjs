// Compiles src/crypto/wasm (AssemblyScript) into src/crypto/wasm-module.ts, which is committed: whoever installs or
// tests the package needs no compiler. With --check it only says whether the two belong together.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = 'src/crypto/wasm-module.ts'

/** 16 MiB of 64 KiB pages, and never more: a memory that grows takes every view of it away. */
const PAGES = '256'
/** Where the constants of SHA-256 lie: behind the working space of src/crypto/wasm/layout.ts. */
const DATA_START = '2560'

const outputs = new Map()
const { error, stderr } = await main(
  [
    'src/crypto/wasm/index.ts',
    ...['--runtime', 'stub', '-O3', '--noAssert', '--enable', 'simd', '--disableWarning', '112'],
    ...['--memoryBase', DATA_START, '--initialMemory', PAGES, '--maximumMemory', PAGES],
    ...['--outFile', 'module.wasm'],
  ],
  {
    readFile: name => read(name),
    writeFile: (name, contents) => outputs.set(name, contents),
    listFiles: () => [],
  },
)
if (error) throw new Error(`${error.message}\n${stderr}`)

const text = `// Made by scripts/build-wasm.mjs from src/crypto/wasm; do not edit.

/** A WebAssembly module with SIMD, in base64. */
export const wasmModule: string =
  '${Buffer.from(outputs.get('module.wasm')).toString('base64')}'
`
if (!process.argv.includes('--check')) writeFileSync(new URL(target, `file://${root}`), text)
else if (read(target) !== text) {
  console.error(`${target} is not what src/crypto/wasm compiles to: npm run build:wasm`)
  process.exit(1)
}

function read(name) {
  try {
    return readFileSync(new URL(name, `file://${root}`), 'utf8')
  } catch {
    return null
  }
}
