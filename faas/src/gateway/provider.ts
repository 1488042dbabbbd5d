// Where workers run. What is above this interface knows neither processes nor pods: Kubernetes is one more of these.

import type { ClientBundle } from 'zerotrip/zero-rtt'
import type { FunctionDeployment, FunctionStatus } from './deployment.ts'

/** One worker that listens. Its keys were born with it: another start is another instance. */
export interface Instance {
  readonly id: string
  /** As in a URL, `127.0.0.1:4433`: QUIC on UDP. */
  readonly origin: string
  /** HTTPS (HTTP/1.1) on TCP, where UDP does not get through; undefined: there is none. */
  readonly tlsOrigin: string | undefined
  /** PEM: what it shows to those who speak TCP, or have no keys. */
  readonly certificate: string
  /** This gateway's half of its keys; undefined: it has none, the first contact takes a round trip more. */
  readonly bundle: ClientBundle | undefined
}

/** A function by its name, which is unique within a namespace. */
export interface FunctionName {
  readonly name: string
  readonly namespace: string
}

export type ProviderEvent =
  | { readonly type: 'ready'; readonly of: FunctionName; readonly instance: Instance }
  | { readonly type: 'gone'; readonly of: FunctionName; readonly instance: Instance }
  /** It was wanted and did not come up. */
  | { readonly type: 'failed'; readonly of: FunctionName; readonly error: Error }

export interface Provider extends AsyncDisposable {
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
  /** Told when instances come and go. */
  subscribe(listener: (event: ProviderEvent) => void): void
}

export function keyOf({ name, namespace }: FunctionName): string {
  return `${name}.${namespace}`
}
