// The way by TCP: another dispatcher, whose answers are looked at for `alt-svc` and passed on as they are.

import type { DispatchHandler, DispatchOptions } from './dispatch.ts'

/** undici's `Dispatcher`, as far as it is needed. */
export interface FallbackDispatcher {
  dispatch(options: never, handler: never): boolean
}

export class Fallback {
  readonly #dispatcher: FallbackDispatcher | undefined

  constructor(dispatcher: FallbackDispatcher | undefined, isNeeded: boolean) {
    this.#dispatcher = dispatcher ?? (isNeeded ? globalDispatcher() : undefined)
  }

  dispatch(options: DispatchOptions, handler: DispatchHandler, listener: FallbackListener): boolean {
    if (this.#dispatcher === undefined) throw new TypeError('there is no dispatcher for TCP: give `fallback`')
    return this.#dispatcher.dispatch(options as never, listening(handler, listener) as never)
  }
}

export interface FallbackListener {
  /** What the server says of its alternatives. */
  onAltSvc?(value: string): void
  /** It failed before there was an answer. True: somebody else has the request now, the handler is not told. */
  onFailed?(error: Error): boolean
}

/** The dispatcher of node's own `fetch`, which is made when the first of its classes is used. */
function globalDispatcher(): FallbackDispatcher | undefined {
  void globalThis.Response
  return (globalThis as unknown as Record<symbol, FallbackDispatcher | undefined>)[
    Symbol.for('undici.globalDispatcher.1')
  ]
}

/** The same handler, all of its methods, and somebody who listens. */
function listening(handler: DispatchHandler, listener: FallbackListener): DispatchHandler {
  let hasAnswer = false
  const look = (name: string | symbol, args: unknown[]): boolean => {
    if (name === 'onResponseStart' || name === 'onHeaders') {
      hasAnswer = true
      const tell = (value: string): void => listener.onAltSvc?.(value)
      if (name === 'onHeaders') tellRaw(args[1], tell)
      else tellObject(args[2], tell)
    }
    const error = name === 'onError' ? args[0] : name === 'onResponseError' ? args[1] : undefined
    return error instanceof Error && !hasAnswer && listener.onFailed?.(error) === true
  }
  return new Proxy(handler, {
    get(target, name) {
      const method = Reflect.get(target, name, target)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => (look(name, args) ? undefined : Reflect.apply(method, target, args))
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

function tellObject(headers: unknown, onAltSvc: (value: string) => void): void {
  const value = (headers as Record<string, unknown> | undefined)?.['alt-svc']
  if (value !== undefined) onAltSvc(String(value))
}

function tellRaw(raw: unknown, onAltSvc: (value: string) => void): void {
  if (!Array.isArray(raw)) return
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (String(raw[at]).toLowerCase() === 'alt-svc') onAltSvc(String(raw[at + 1]))
  }
}
