// All results that are kept, as one page: faas/results/README.md.

import { existsSync, readFileSync } from 'node:fs'
import { percent } from './summary.mjs'

/** `names`: in the order of the page. Those without a result are left out. */
export function reportOf(folder, names) {
  const results = names.flatMap(name => {
    const file = new URL(`${name}.json`, folder)
    return existsSync(file) ? [JSON.parse(readFileSync(file, 'utf8'))] : []
  })
  return `${[HEAD, ...results.map(result => sectionOf(folder, result))].join('\n\n')}\n`
}

const HEAD = `# Results of the experiments

Written by \`npm run faas:experiments -- report\` from the files beside it, which hold every sample. What they mean, and why some are not what was hoped for, is told in [faas/README.md](../README.md#experiments).`

function sectionOf(folder, { experiment, title, environment, conditions, comparisons }) {
  const { node, openssl, cpu, cores, system, commit, date } = environment
  const picture = existsSync(new URL(`${experiment}.svg`, folder)) ? [`![${title}](${experiment}.svg)`, ''] : []
  return [
    `## ${experiment}: ${title}`,
    '',
    `Node ${node}, OpenSSL ${openssl}, ${cores} × ${cpu}, ${system}, ${commit}, ${date.slice(0, 16)}Z. ${conditionsOf(conditions)}.`,
    '',
    ...picture,
    '| | ours | 95 % interval | paper | wanted | |',
    '|---|---|---|---|---|---|',
    ...comparisons.map(rowOf),
  ].join('\n')
}

function conditionsOf(conditions) {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

function rowOf({ what, text, change, low, high, paper, wanted, most, isReached }) {
  const cells = [
    what,
    text ?? percent(change),
    low === undefined ? '' : `${percent(low)} … ${percent(high)}`,
    paper === undefined ? '–' : typeof paper === 'number' ? percent(paper) : paper,
    wanted ?? (most === undefined ? '' : `≤ ${percent(most)}`),
    isReached === undefined ? '' : isReached ? 'reached' : '**not reached**',
  ]
  return `| ${cells.join(' | ')} |`
}
