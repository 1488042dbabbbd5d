// A result for people: what was measured, beside what the paper says.

import { percent } from './summary.mjs'

export function tableOf({ experiment, title, environment, conditions, measured, comparisons, seconds, ...rest }) {
  const { node, cpu, cores, date } = environment
  return [
    `${experiment}: ${title}`,
    `Node ${node}, ${cores} × ${cpu}, ${date}, ${seconds} s`,
    conditionsOf(conditions),
    '',
    ...measuredOf(measured ?? []),
    ...(rest.lines ?? []).flatMap(line => [line]),
    '',
    ...comparisonsOf(comparisons ?? []),
  ].join('\n')
}

function conditionsOf(conditions = {}) {
  return Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}

function measuredOf(rows) {
  if (rows.length === 0) return []
  const head = ['', 'p50 ms', 'q1', 'q3', 'p95', 'n', 'in the paper']
  return columns([
    head,
    ...rows.map(row => [
      [row.method, row.label].filter(Boolean).join(' '),
      row.p50ms.toFixed(2),
      row.q1Ms.toFixed(2),
      row.q3Ms.toFixed(2),
      row.p95Ms.toFixed(2),
      String(row.samples),
      row.paper ?? '',
    ]),
  ])
}

function comparisonsOf(rows) {
  if (rows.length === 0) return []
  return columns([
    ['', 'ours', '95 % interval', 'paper', 'wanted', ''],
    ...rows.map(row => [
      row.what,
      row.text ?? percent(row.change),
      row.low === undefined ? '' : `${percent(row.low)} … ${percent(row.high)}`,
      paperOf(row),
      row.wanted ?? (row.most === undefined ? '' : `≤ ${percent(row.most)}`),
      row.isReached === undefined ? '' : row.isReached ? 'reached' : 'NOT reached',
    ]),
  ])
}

function paperOf({ paper }) {
  if (paper === undefined) return '–'
  return typeof paper === 'number' ? percent(paper) : paper
}

/** The first to the left, the others to the right, but for the last. */
function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)))
  return rows.map(row =>
    row
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
}
