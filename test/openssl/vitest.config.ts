// `npm run test:openssl`: against the programs of OpenSSL, which npm does not bring along.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { root: dirname(fileURLToPath(import.meta.url)), include: ['*.test.ts'], pool: 'forks', testTimeout: 60_000 },
})
