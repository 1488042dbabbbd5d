// What runs the code of a function that names one of OpenFaaS' templates (`lang`): there it is built into an image, here
// it is started where it is.

import { fileURLToPath } from 'node:url'

export interface Template {
  readonly fprocess: string
  readonly mode: 'http' | 'streaming'
}

const TEMPLATES: readonly (readonly [RegExp, Template])[] = [
  [/^node\d+(-.+)?$/, { fprocess: `${process.execPath} ${pathOf('node.cjs')}`, mode: 'http' }],
  [/^python[\d.]*-http(-.+)?$/, { fprocess: `python3 ${pathOf('python.py')} http`, mode: 'http' }],
  [/^python[\d.]*-flask(-.+)?$/, { fprocess: `python3 ${pathOf('python.py')} flask`, mode: 'http' }],
  [/^python[\d.]*(-debian)?$/, { fprocess: `python3 ${pathOf('python.py')} stdin`, mode: 'streaming' }],
  [/^bash-streaming$/, { fprocess: './handler.sh', mode: 'streaming' }],
]

/** Undefined: none that is known. */
export function templateOf(lang: string): Template | undefined {
  return TEMPLATES.find(([pattern]) => pattern.test(lang))?.[1]
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../templates/${name}`, import.meta.url))
}
