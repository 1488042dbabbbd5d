// What a function is to be, and is, in the JSON of OpenFaaS' provider API.

import type { EarlyRequests } from 'zerotrip/zero-rtt'

export interface FunctionDeployment {
  readonly service: string
  readonly namespace: string
  /** Here: the directory of the function. */
  readonly image: string
  /** The program and its arguments; empty: what the environment's `fprocess` says, or a module. */
  readonly envProcess: string
  readonly envVars: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface FunctionStatus {
  readonly name: string
  readonly namespace: string
  readonly image: string
  readonly envProcess: string
  readonly envVars: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Wanted, and able to answer. */
  readonly replicas: number
  readonly availableReplicas: number
  readonly invocationCount: number
  readonly createdAt: string
}

/** How many instances there may be: labels `com.openfaas.scale.min`, `max`, `zero`, `target`, `zero-duration`. */
export interface ScaleRules {
  readonly min: number
  readonly max: number
  /** May there be none. */
  readonly zero: boolean
  /** Requests at once that one instance is meant for. */
  readonly target: number
  /** ms without requests until there is none. */
  readonly zeroDuration: number
}

/** The namespace of functions that name none: `function_namespace` of the environment, as OpenFaaS has it. */
export const DEFAULT_NAMESPACE: string = process.env['function_namespace'] || 'openfaas-fn'

/** RFC 1123 labels, as Kubernetes wants them and names in URLs allow. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** Throws a TypeError that says what does not fit. */
export function readDeployment(value: unknown): FunctionDeployment {
  if (typeof value !== 'object' || value === null) throw new TypeError('a deployment is an object')
  const fields = value as Record<string, unknown>
  const service = text(fields, 'service', '')
  if (!NAME.test(service)) throw new TypeError(`service must be lower-case letters, digits and '-', not '${service}'`)
  const namespace = text(fields, 'namespace', '') || DEFAULT_NAMESPACE
  if (!NAME.test(namespace)) throw new TypeError(`not a namespace: '${namespace}'`)
  const deployment = {
    service,
    namespace,
    image: text(fields, 'image', ''),
    envProcess: text(fields, 'envProcess', ''),
    envVars: texts(fields, 'envVars'),
    labels: texts(fields, 'labels'),
    annotations: texts(fields, 'annotations'),
  }
  // A word that is none shall be noticed now, not when the function is called.
  scaleRules(deployment)
  earlyRequestsOf(deployment)
  return deployment
}

/** Throws a RangeError for labels that are no numbers. */
export function scaleRules({ labels }: Pick<FunctionDeployment, 'labels'>): ScaleRules {
  const number = (name: string, fallback: number): number => {
    const value = labels[`com.openfaas.scale.${name}`]
    if (value === undefined) return fallback
    if (!/^\d+$/.test(value)) throw new RangeError(`label com.openfaas.scale.${name} must be a number, not '${value}'`)
    return Number(value)
  }
  const zero = labels['com.openfaas.scale.zero'] === 'true'
  const min = number('min', 1)
  const max = number('max', 20)
  if (max < min) throw new RangeError(`com.openfaas.scale.max (${max}) is less than com.openfaas.scale.min (${min})`)
  const minutes = /^(\d+)m$/.exec(labels['com.openfaas.scale.zero-duration'] ?? '')
  return {
    min,
    max,
    zero,
    target: Math.max(1, number('target', 50)),
    zeroDuration: minutes ? Number(minutes[1]) * 60_000 : 900_000,
  }
}

/** Annotation `zerotrip.early-data: never | safe | all`, else `safe`. Throws a TypeError for another word. */
export function earlyRequestsOf({ annotations }: Pick<FunctionDeployment, 'annotations'>): EarlyRequests {
  const asked = annotations[EARLY_DATA] ?? 'safe'
  if (asked === 'never' || asked === 'safe' || asked === 'all') return asked
  throw new TypeError(`annotation ${EARLY_DATA} must be never, safe or all, not '${asked}'`)
}

const EARLY_DATA = 'zerotrip.early-data'

function text(fields: Record<string, unknown>, name: string, fallback: string): string {
  const value = fields[name] ?? fallback
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`)
  return value
}

function texts(fields: Record<string, unknown>, name: string): Readonly<Record<string, string>> {
  const value = fields[name] ?? {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${name} is an object`)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)]))
}
