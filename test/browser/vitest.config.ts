import { defineConfig } from 'vitest/config'

/** `npm run test:browser`: apart from the others, because it needs a browser. */
export default defineConfig({
  test: { include: ['{test/browser,faas/test}/*.browser.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
