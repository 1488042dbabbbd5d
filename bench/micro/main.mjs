// npm run bench:micro [-- --filter TEXT] [--time SECONDS] [--json] [--save]
//
// How long single things take. Each is checked to do what it says before it is timed; `benchmark` (the package) times
// it until the figure is steady or --time is over.

import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { environment } from '../environment.mjs'
import { ratiosOf } from './ratios.mjs'
import { time } from './time.mjs'

const { values } = parseArgs({
  options: {
    filter: { type: 'string', default: '' },
    time: { type: 'string', default: '0.1' },
    json: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.time)
if (!(seconds > 0)) {
  console.error(`bench:micro: --time wants seconds, not '${values.time}'`)
  process.exit(2)
}

const groups = ['packets', 'hashes', 'frames', 'parts', 'handshakes']
const rows = []
for (const group of groups) {
  const { subjects } = await import(`./${group}.mjs`)
  for (const subject of await subjects()) {
    const name = `${group}: ${subject.name}`
    if (!name.includes(values.filter)) continue
    subject.check()
    const row = { name, ...(await time(subject.run, seconds)), ...subject.facts?.() }
    rows.push(row)
    if (!values.json) console.log(line(row))
  }
}
if (rows.length === 0) {
  console.error(`bench:micro: nothing is called '${values.filter}'`)
  process.exit(2)
}
const result = { benchmark: 'micro', environment: environment(), ratios: ratiosOf(rows), rows }
if (values.json) console.log(JSON.stringify(result, undefined, 2))
else for (const [name, ratio] of Object.entries(result.ratios)) console.log(`${name.padEnd(76)}${ratio.toFixed(3)}`)
if (values.save) {
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('micro.json', folder), `${JSON.stringify(result, undefined, 2)}\n`)
}

function line({ name, ns, error, ...facts }) {
  const text = Object.entries(facts).map(([fact, value]) => `${value} ${fact}`)
  return `${name.padEnd(64)}${ns.toFixed(0).padStart(10)} ns ± ${error.toFixed(1).padStart(4)} %  ${text.join(', ')}`
}
