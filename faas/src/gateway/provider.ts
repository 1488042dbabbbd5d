// Where workers run. What is above this interface knows neither processes nor pods: Kubernetes is one more of these.

import type { HopAddress } from '../http/next-hop.ts'
import type { FunctionDeployment, FunctionStatus } from './deployment.ts'
import type { FunctionUsage } from './process-usage.ts'
import type { WorkerDesk } from './worker-desk.ts'

/** One worker that listens. Its keys were born with it: another start is another instance. */
export interface Instance extends HopAddress {
  readonly id: string
}

/** A function by its name, which is unique within a namespace. */
export interface FunctionName {
  readonly name: string
  readonly namespace: string
}

export type ProviderEvent =
  /** `isNew`: its process has just started, and nobody has called it. */
  | { readonly type: 'ready'; readonly of: FunctionName; readonly instance: Instance; readonly isNew?: boolean }
  /** It is to get nothing new; `isDead`: nor will it answer what it has. */
  | { readonly type: 'gone'; readonly of: FunctionName; readonly instance: Instance; readonly isDead: boolean }
  /** It was wanted and did not come up. */
  | { readonly type: 'failed'; readonly of: FunctionName; readonly error: Error }

export interface Provider extends AsyncDisposable {
  /** One word, for people. */
  readonly orchestration: string
  /** Where workers come for their keys that this provider does not start itself. Default: there are none. */
  readonly desk?: WorkerDesk
  list(namespace: string): FunctionStatus[]
  /** Undefined: there is no such function. */
  find(of: FunctionName): FunctionStatus | undefined
  /** Puts a function in place, or another version in the place of one: instances of the former end. */
  deploy(deployment: FunctionDeployment): Promise<void>
  /** False: there is no such function. */
  remove(of: FunctionName): Promise<boolean>
  /** How many instances are wanted; resolves when that is known, not when they are there. False: no such function. */
  scale(of: FunctionName, replicas: number): boolean
  /** Those that listen. */
  instances(of: FunctionName): readonly Instance[]
  /** What its instances take; undefined: nobody knows. */
  usage?(of: FunctionName): FunctionUsage | undefined
  /** Told when instances come and go. */
  subscribe(listener: (event: ProviderEvent) => void): void
}

export function keyOf({ name, namespace }: FunctionName): string {
  return `${name}.${namespace}`
}
