// Which function a path means: `/function/NAME[.NAMESPACE][/…]`, `/async-function/…`.

import { DEFAULT_NAMESPACE } from './deployment.ts'
import type { FunctionName } from './provider.ts'

export interface Route {
  readonly of: FunctionName
  /** Answered at once, done later. */
  readonly isAsync: boolean
  /** What the function is asked for, with the query. */
  readonly target: string
}

const FUNCTION = /^\/(async-)?function\/([-a-zA-Z_0-9.]+)([/?].*)?$/s

/** `target`: path and query. Undefined: it is something else. */
export function routeOf(target: string): Route | undefined {
  const found = FUNCTION.exec(target)
  if (found === null) return undefined
  const [, async, name = '', rest = ''] = found
  return { of: functionName(name), isAsync: async !== undefined, target: rest.startsWith('/') ? rest : `/${rest}` }
}

/** `name` or `name.namespace`. */
function functionName(text: string): FunctionName {
  const dot = text.lastIndexOf('.')
  return dot < 0
    ? { name: text, namespace: DEFAULT_NAMESPACE }
    : { name: text.slice(0, dot), namespace: text.slice(dot + 1) }
}
