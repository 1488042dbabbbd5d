// How far long downloads are, on a terminal.

import type { Io } from './io.ts'

/** ms before anything is shown, and between two changes. */
const PATIENCE = 500
const INTERVAL = 100
const BAR_WIDTH = 24

export class Progress {
  readonly #terminal: Io['stderr'] | undefined
  readonly #clock: () => number
  readonly #startTime: number
  #shownAt: number
  #isShown = false
  #received = 0
  #expected = 0
  /** False once an answer did not say how long it is. */
  #isExpectedKnown = true

  /** Without a terminal nothing is shown. `clock` gives ms. */
  constructor(terminal: Io['stderr'] | undefined, clock: () => number = () => performance.now()) {
    this.#terminal = terminal
    this.#clock = clock
    this.#startTime = clock()
    this.#shownAt = this.#startTime + PATIENCE - INTERVAL
  }

  /** An answer begins. */
  expect(length: number | undefined): void {
    if (length === undefined) this.#isExpectedKnown = false
    else this.#expected += length
  }

  advance(bytes: number): void {
    this.#received += bytes
    if (this.#terminal === undefined) return
    const now = this.#clock()
    if (now - this.#shownAt < INTERVAL) return
    this.#shownAt = now
    this.#isShown = true
    this.#terminal.write(`\r${this.#text(now).slice(0, (this.#terminal.columns ?? 80) - 1)}\x1b[K`)
  }

  /** Leaves an empty line behind. */
  clear(): void {
    if (this.#isShown) this.#terminal?.write('\r\x1b[K')
    this.#isShown = false
  }

  #text(now: number): string {
    const rate = `${sizeText((this.#received * 1000) / Math.max(1, now - this.#startTime))}/s`
    if (!this.#isExpectedKnown || this.#expected === 0) return `${sizeText(this.#received)}  ${rate}`
    const share = Math.min(1, this.#received / this.#expected)
    const bar = '#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '.')
    return `[${bar}] ${Math.floor(share * 100)} %  ${sizeText(this.#received)} of ${sizeText(this.#expected)}  ${rate}`
  }
}

/** `512 B`, `1.5 KiB`, `10.0 MiB`. */
export function sizeText(bytes: number): string {
  let size = bytes
  let unit = 0
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024
  return `${unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
