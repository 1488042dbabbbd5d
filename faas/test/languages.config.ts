import { defineConfig } from 'vitest/config'

/** `npm run test:languages`: apart from the others, because it needs Python and a shell. */
export default defineConfig({
  test: { include: ['faas/test/*.template.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
