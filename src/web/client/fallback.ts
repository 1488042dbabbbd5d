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

  /** `onAltSvc` is told what the server says. */
  dispatch(options: DispatchOptions, handler: DispatchHandler, onAltSvc: (value: string) => void): boolean {
    if (this.#dispatcher === undefined) throw new TypeError('there is no dispatcher for TCP: give `fallback`')
    return this.#dispatcher.dispatch(options as never, listening(handler, onAltSvc) as never)
  }
}

/** The dispatcher of node's own `fetch`, which is made when the first of its classes is used. */
function globalDispatcher(): FallbackDispatcher | undefined {
  void globalThis.Response
  return (globalThis as unknown as Record<symbol, FallbackDispatcher | undefined>)[
    Symbol.for('undici.globalDispatcher.1')
  ]
}

/** The same handler, all of its methods, which also tells of `alt-svc`. */
function listening(handler: DispatchHandler, onAltSvc: (value: string) => void): DispatchHandler {
  return new Proxy(handler, {
    get(target, name) {
      const method = Reflect.get(target, name, target)
      if (typeof method !== 'function') return method
      return (...args: unknown[]) => {
        if (name === 'onResponseStart') tellObject(args[2], onAltSvc)
        else if (name === 'onHeaders') tellRaw(args[1], onAltSvc)
        return Reflect.apply(method, target, args)
      }
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
