// Runs every ```js block of README.md as a program of its own, inside the package, so that its imports resolve.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const directory = join('.cache', 'readme')
rmSync(directory, { recursive: true, force: true })
mkdirSync(directory, { recursive: true })
const examples = [...readFileSync('README.md', 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(match => match[1])
if (examples.length < 3) throw new Error(`README.md shows ${examples.length} examples, not three`)
for (const [index, code] of examples.entries()) {
  const file = join(directory, `example-${index + 1}.mjs`)
  writeFileSync(file, code)
  const output = execFileSync(process.execPath, [file], { encoding: 'utf8', timeout: 15_000 })
  console.log(`example ${index + 1}: ${output.trim().replaceAll('\n', ' | ')}`)
}
