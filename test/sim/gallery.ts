// Pictures of all scenarios in one directory, with a page that shows them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CongestionResult } from './congestion.ts'
import { type Picture, plot } from './plot.ts'
import { escapeText } from './plot-axes.ts'
import { runSeed } from './run-seed.ts'
import { scenarioNames, scenarioOf, seedsFor } from './scenarios.ts'
import type { Crypto } from './world.ts'

/** Of the first so many seeds of a scenario the one in which most happens is drawn. */
const CANDIDATES = 8

export class Gallery {
  readonly #directory: string
  readonly #shown: { readonly name: string; readonly title: string }[] = []

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  /** The page; it can be opened when `finish` was called. */
  get page(): string {
    return join(this.#directory, 'index.html')
  }

  addCongestion(result: CongestionResult): void {
    this.#add(result.name, pictureOf(result))
  }

  /** A seed that stands for its scenario, each scenario or only one. */
  addScenarios(crypto: Crypto, only: string | undefined, progress: (text: string) => void): void {
    for (const name of scenarioNames) {
      if (only !== undefined && name !== only) continue
      progress(name)
      this.addSeed(representative(name), crypto)
    }
  }

  addSeed(seed: number, crypto: Crypto): void {
    this.#add(scenarioOf(seed), pictureOfSeed(seed, crypto))
  }

  finish(): void {
    const figures = this.#shown.map(
      ({ name, title }) => `<figure id="${name}"><img src="${name}.svg" alt="${escapeText(title)}"></figure>`,
    )
    const links = this.#shown.map(({ name }) => `<a href="#${name}">${name}</a>`)
    writeFileSync(
      this.page,
      `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Simulated connections</title>
<style>body { font: 15px sans-serif; max-width: 1000px; margin: 2em auto } figure { margin: 1em 0 } img { width: 100%; border: 1px solid #ddd } nav a { margin-right: 1em }</style>
<h1>Simulated connections</h1>
<nav>${links.join(' ')}</nav>
${figures.join('\n')}
</html>
`,
    )
  }

  #add(name: string, picture: Picture): void {
    writeFileSync(join(this.#directory, `${name}.svg`), plot(picture))
    this.#shown.push({ name, title: `${picture.title}: ${picture.subtitle}` })
  }
}

export function pictureOf({ name, about, use, fairness, error, lostInSlowStart, series }: CongestionResult): Picture {
  const facts = [about, `${(use * 100).toFixed(1)} % of the link used`]
  if (series.length > 1) facts.push(`Jain's index ${fairness.toFixed(3)}`)
  if (lostInSlowStart !== undefined) facts.push(`${lostInSlowStart} lost when slow start was left`)
  if (error !== undefined) facts.push('failed')
  return { title: name, subtitle: facts.join('; '), series }
}

/** Twice the same play: how long it lasts says how often to look. */
export function pictureOfSeed(seed: number, crypto: Crypto): Picture {
  const { busy } = runSeed(seed, { crypto })
  const { scenario, bytes, error, series } = runSeed(seed, { crypto, watched: busy })
  const subtitle = `seed ${seed}; ${(bytes / 1000).toFixed(0)} kB in ${(busy / 1000).toFixed(1)} s${error ? '; failed' : ''}`
  return { title: scenario, subtitle, series }
}

function representative(name: string): number {
  const seeds = seedsFor(CANDIDATES, name)
  const happened = seeds.map(seed => runSeed(seed).happened)
  return seeds[happened.indexOf(Math.max(...happened))] as number
}
