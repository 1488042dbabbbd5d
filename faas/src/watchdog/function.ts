// The function behind the watchdog, whatever its mode.

import type { RequestListener } from 'node:http'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClientBundle } from 'zerotrip/zero-rtt'
import { keepGatewayKeys } from '../chain/gateway-address.ts'
import { inCall } from '../http/current-call.ts'
import { type FunctionHandler, type FunctionResponse, plain } from '../http/handler.ts'
import { limitOf } from './deadline.ts'
import type { LocalEndpoint } from './local-endpoint.ts'
import type { Upstream } from './modes/upstream.ts'
import type { WatchdogSettings } from './settings.ts'

/** What is to be run: the exports of a handler module, too. */
export interface ServerlessFunction {
  /** Answers requests of every kind. */
  readonly fetch: FunctionHandler
  /** Answers those that come by TCP in `fetch`'s place, if there is a reason to. */
  readonly listener?: RequestListener
  /** Mode `http`: where it listens itself, and when it is gone. */
  readonly upstream?: Upstream
  /** Where it calls others, if it is a process of its own. */
  readonly local?: LocalEndpoint
}

/**
 * `handler`: the module of mode `inproc`; `gatewayKeys`: for the first call of another function. A mode is imported when
 * it is asked for: a worker begins with what it needs. Throws what tells a person what is missing.
 */
export async function loadFunction(
  settings: WatchdogSettings,
  gatewayKeys: ClientBundle | undefined,
  handler: string | undefined,
  environment: NodeJS.ProcessEnv,
  onError: (error: unknown) => void,
): Promise<ServerlessFunction> {
  if (settings.mode === 'inproc') {
    keepGatewayKeys(gatewayKeys)
    return importFunction(handler, settings)
  }
  if (settings.mode === 'static') {
    return { fetch: await (await import('./modes/files.ts')).staticMode(settings.staticPath) }
  }
  const local = await startLocal(settings, gatewayKeys, onError)
  // Who sets it himself knows better.
  const own = local ? { gateway_url: local.url, ...environment } : environment
  return { ...(await loadProgram(settings, own)), ...(local && { local }) }
}

async function loadProgram(settings: WatchdogSettings, environment: NodeJS.ProcessEnv): Promise<ServerlessFunction> {
  switch (settings.mode) {
    case 'http': {
      const { Upstream } = await import('./modes/upstream.ts')
      const upstream = await Upstream.start(new URL(settings.upstreamUrl as string), settings, environment)
      return { fetch: upstream.handler(settings), upstream }
    }
    case 'serializing':
      return { fetch: (await import('./modes/fork.ts')).serializingMode(settings, environment) }
    default:
      return { fetch: (await import('./modes/fork.ts')).streamingMode(settings, environment) }
  }
}

async function startLocal(
  { gateway }: WatchdogSettings,
  bundle: ClientBundle | undefined,
  onError: (error: unknown) => void,
): Promise<LocalEndpoint | undefined> {
  return gateway && (await import('./local-endpoint.ts')).LocalEndpoint.start({ ...gateway, bundle }, onError)
}

async function importFunction(handler: string | undefined, settings: WatchdogSettings): Promise<ServerlessFunction> {
  if (handler === undefined) throw new TypeError('which function? zerotrip-watchdog HANDLER.mjs')
  const exported = (await import(pathToFileURL(resolve(handler)).href)) as ServerlessFunction
  if (typeof exported.fetch !== 'function') throw new TypeError(`${handler} must export a function \`fetch\``)
  return { ...exported, fetch: inTime(withCallId(exported.fetch), settings.execTimeout) }
}

/** Nothing stops it, but its caller waits no longer. */
function inTime(fetch: FunctionHandler, execTimeout: number): FunctionHandler {
  return async request => {
    const limit = limitOf(request, execTimeout)
    const answer = fetch(request)
    if (!(answer instanceof Promise) || limit === Number.POSITIVE_INFINITY) return answer
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<FunctionResponse>(resolve => {
      timer = setTimeout(() => resolve(plain(504, 'the function took too long\n')), limit)
    })
    return Promise.race([answer, late]).finally(() => clearTimeout(timer))
  }
}

/** Whoever it calls meanwhile is told the same id. */
function withCallId(fetch: FunctionHandler): FunctionHandler {
  return request => {
    const callId = request.headers.get('x-call-id')
    return callId === null ? fetch(request) : inCall(callId, () => fetch(request))
  }
}
