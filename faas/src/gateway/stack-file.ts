// Functions in a file, in a subset of OpenFaaS' own format (`stack.yaml`).

import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { type FunctionDeployment, readDeployment } from './deployment.ts'

interface StackFunction {
  readonly handler?: unknown
  readonly image?: unknown
  readonly namespace?: unknown
  readonly fprocess?: unknown
  readonly environment?: Readonly<Record<string, unknown>>
  readonly labels?: unknown
  readonly annotations?: unknown
}

/** Rejects with an error that names the file and what does not fit. */
export async function readStackFile(path: string): Promise<FunctionDeployment[]> {
  try {
    return readStack(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

/** Throws a TypeError. `handler` is the directory of a function. */
export function readStack(text: string): FunctionDeployment[] {
  const stack = parse(text) as { functions?: Readonly<Record<string, StackFunction>> } | null
  const functions = stack?.functions
  if (typeof functions !== 'object' || functions === null) throw new TypeError('there are no `functions`')
  return Object.entries(functions).map(([service, each]) => {
    const { fprocess, ...envVars } = each.environment ?? {}
    return readDeployment({
      service,
      namespace: each.namespace ?? '',
      image: each.handler ?? each.image ?? '.',
      envProcess: each.fprocess ?? fprocess ?? '',
      envVars,
      labels: each.labels ?? {},
      annotations: each.annotations ?? {},
    })
  })
}
