// docs/threat-model.md names tests that exist: each claim is one that a test makes.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('docs/threat-model.md', root), 'utf8')
const sections = text
  .split(/^## /m)
  .slice(1)
  .map(section => ({ name: section.slice(0, section.indexOf('\n')), body: section }))

test.each(sections)('$name', ({ name, body }) => {
  const cited = Array.from(body.matchAll(/^- (\S+\.test\.ts): (.+)$/gm), match => [match[1], match[2]] as string[])
  if (name !== 'What is not promised') expect(cited.length).toBeGreaterThan(0)
  for (const [file, title] of cited) {
    const code = readFileSync(new URL(`test/${file}`, root), 'utf8')
    expect(code.includes(title as string), `${file}: ${title}`).toBe(true)
  }
})
