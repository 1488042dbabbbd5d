// Functions in a file, in OpenFaaS' own format (`stack.yaml`), as far as processes of one machine can be what it says.

import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { type FunctionDeployment, readDeployment } from './deployment.ts'
import { templateOf } from './templates.ts'

export interface StackFile {
  readonly deployments: readonly FunctionDeployment[]
  /** What it asks for and will not get, for people to read. */
  readonly notes: readonly string[]
}

interface StackFunction {
  readonly lang?: unknown
  readonly handler?: unknown
  readonly image?: unknown
  readonly namespace?: unknown
  readonly fprocess?: unknown
  readonly environment?: Readonly<Record<string, unknown>>
  readonly environment_file?: unknown
  readonly labels?: unknown
  readonly annotations?: unknown
}

/** What a container would be given. */
const NOT_HERE = ['secrets', 'limits', 'requests', 'constraints', 'readonly_root_filesystem'] as const

/** Rejects with an error that names the file and what does not fit. */
export async function readStackFile(path: string, environment: NodeJS.ProcessEnv = process.env): Promise<StackFile> {
  try {
    const text = substitute(await readFile(path, 'utf8'), environment)
    const functions = functionsOf(text)
    const files = new Map<string, string>()
    for (const { environment_file } of Object.values(functions)) {
      for (const name of namesOf(environment_file)) files.set(name, await readFile(join(dirname(path), name), 'utf8'))
    }
    return { deployments: deploymentsOf(functions, files), notes: notesOf(functions) }
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

/** Throws a TypeError. `handler` is the directory of a function. */
export function readStack(text: string): FunctionDeployment[] {
  return deploymentsOf(functionsOf(text), new Map())
}

/** `${NAME}` and `${NAME:-default}`, as faas-cli has it. */
export function substitute(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replace(/\$\{(\w+)(?::?-([^}]*))?\}/g, (_, name: string, fallback = '') => environment[name] || fallback)
}

function functionsOf(text: string): Readonly<Record<string, StackFunction>> {
  const stack = parse(text) as { functions?: Readonly<Record<string, StackFunction>> } | null
  const functions = stack?.functions
  if (typeof functions !== 'object' || functions === null) throw new TypeError('there are no `functions`')
  return functions
}

function deploymentsOf(
  functions: Readonly<Record<string, StackFunction>>,
  files: ReadonlyMap<string, string>,
): FunctionDeployment[] {
  return Object.entries(functions).map(([service, each]) => {
    const fromFiles = namesOf(each.environment_file).map(name => environmentOf(files.get(name) ?? ''))
    const { fprocess, ...envVars } = Object.assign({}, ...fromFiles, each.environment) as Record<string, unknown>
    const { program, mode } = programOf(service, each, each.fprocess ?? fprocess ?? envVars['function_process'])
    return readDeployment({
      service,
      namespace: each.namespace ?? '',
      image: each.handler ?? each.image ?? '.',
      envProcess: program,
      envVars: { ...(mode && { mode }), ...envVars },
      labels: each.labels ?? {},
      annotations: each.annotations ?? {},
    })
  })
}

/** What is said to run is run; else what runs the code of its language. */
function programOf(service: string, { lang }: StackFunction, fprocess: unknown): { program: unknown; mode?: string } {
  if (fprocess) return { program: fprocess }
  if (lang === undefined) return { program: '' }
  const template = templateOf(String(lang))
  if (template) return { program: template.fprocess, mode: template.mode }
  throw new TypeError(
    `function ${service}: \`lang: ${lang}\` is built into an image, which is not started here: say what to run (\`fprocess\`)`,
  )
}

function environmentOf(text: string): Record<string, unknown> {
  return (parse(text) as { environment?: Record<string, unknown> } | null)?.environment ?? {}
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function notesOf(functions: Readonly<Record<string, StackFunction>>): string[] {
  return Object.entries(functions).flatMap(([service, each]) => {
    const asked = NOT_HERE.filter(name => name in each)
    return asked.length === 0
      ? []
      : [`${service}: ${asked.join(', ')}: not for processes, left to whoever starts this one`]
  })
}
