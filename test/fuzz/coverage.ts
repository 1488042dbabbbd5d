// Which lines of what reads frames and acts on them ran, as V8 counts them: of the compiled code.

import { readFileSync } from 'node:fs'
import { type Profiler, Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'

const FILES = /\/src\/(packet\/frames|connection|streams)\/[a-z-]+\.js$/
const FUNCTIONS = /^#?(read|on|dispatch|check|receive)/

/** For each file, by its address, what became of each character. */
export type Marks = Map<string, Uint8Array>

const IGNORED = 0
const RAN = 1
const MISSED = 2

/** Counts from here on: what is loaded later is counted from its first line. */
export class Coverage {
  readonly #session: Session = new Session()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true })
  }

  take(): Marks {
    const marks: Marks = new Map()
    this.#session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      for (const { url, functions } of result) if (FILES.test(url)) marks.set(url, marksOf(functions))
    })
    return marks
  }
}

function marksOf(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const watched = functions.filter(({ functionName }) => FUNCTIONS.test(functionName)).map(({ ranges }) => ranges[0])
  const ranges = functions.flatMap(({ ranges }) => ranges)
  const marks = new Uint8Array(Math.max(...ranges.map(({ endOffset }) => endOffset)))
  for (const range of watched) marks.fill(RAN, range?.startOffset, range?.endOffset)
  // Outer ones first: what is inside of them is more exact.
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset)
  for (const { startOffset, endOffset, count } of ranges) {
    const mark = count > 0 ? RAN : MISSED
    for (let at = startOffset; at < endOffset; at++) if (marks[at] !== IGNORED) marks[at] = mark
  }
  return marks
}

/** Missed is what all have missed. */
export function merge(all: readonly Marks[]): Marks {
  const merged: Marks = new Map(all[0])
  for (const marks of all.slice(1)) {
    for (const [url, more] of marks) {
      const before = merged.get(url)
      merged.set(
        url,
        before === undefined ? more : before.map((mark, i) => (mark === MISSED ? (more[i] as number) : mark)),
      )
    }
  }
  return merged
}

/** What reads frames, and hands them to their owners. */
export const READERS: RegExp = /\/(packet\/frames\/[a-z-]+|connection\/frame-dispatch)\.js$/

export interface Lines {
  readonly total: number
  /** Those that did not run, or not as a whole. */
  readonly missed: readonly string[]
}

/** Of all files, or of some. Lines with nothing but brackets are not counted. */
export function linesOf(merged: Marks, files: RegExp = FILES): Lines {
  let total = 0
  const missed: string[] = []
  for (const [url, marks] of merged) {
    if (!files.test(url)) continue
    let at = 0
    const file = url.split('/src/').at(-1)
    for (const [index, line] of readFileSync(fileURLToPath(url), 'utf8').split('\n').entries()) {
      const own = marks.subarray(at + Math.max(0, line.search(/\S/)), at + line.length)
      if (/[a-z]/i.test(line) && !/^\s*(\/\/|\/?\*)/.test(line) && own.some(mark => mark !== IGNORED)) {
        total++
        if (own.includes(MISSED)) missed.push(`${file}:${index + 1} ${line.trim()}`)
      }
      at += line.length + 1
    }
  }
  return { total, missed }
}
