// The programs in docs/zero-rtt.md do what it says.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { QuicEndpoint } from '../../src/endpoint/endpoint.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/zero-rtt.md'), 'utf8')
const programs = Array.from(page.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g), match => ({
  name: match[1] as string,
  code: match[2] as string,
}))

test('thirty lines: the first request to a new process runs in its first packet', async () => {
  const lines = programs.flatMap(({ code }) => code.split('\n').filter(line => line.trim() !== ''))
  expect(lines.length).toBeLessThanOrEqual(30)
  // Inside the package, so that its name resolves.
  const directory = join(root, '.cache', `docs-${process.pid}`)
  mkdirSync(directory, { recursive: true })
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const probe = new QuicEndpoint({ host: '127.0.0.1' })
  const { port } = await probe.ready
  await probe.close()
  for (const { name, code } of programs) writeFileSync(join(directory, name), code.replaceAll('4435', String(port)))
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['platform.mjs'], { cwd: directory, timeout: 60_000 })
  expect(stdout).toBe('early: true accepted\n')
})
