// What a function calls others by, in the shape of `fetch`:
//
//     import { fetch } from '@zerotrip/faas/chain'
//     const response = await fetch('/function/next', { method: 'POST', body })

import { callOf } from '../http/call.ts'
import { currentCallId, followCalls } from '../http/current-call.ts'
import { webBody } from '../http/passed.ts'
import { readGatewayAddress, takeGatewayKeys } from './gateway-address.ts'
import { GatewayClient } from './gateway-client.ts'

export interface ChainInit extends RequestInit {
  /**
   * May leave as 0-RTT data, where it can be replayed (RFC 8470). Default: safe methods, and all methods of functions
   * that are deployed for it (`zerotrip.early-data: all`), which the gateway says with each answer.
   */
  readonly early?: boolean
}

let common: GatewayClient | undefined

followCalls()

/**
 * Calls a function through the gateway, by HTTP/3; by TLS on TCP for a while where UDP does not get through. `input` is a
 * path, or a URL of which the path counts if its host is `gateway` or the gateway's own; others are global `fetch`'s.
 * The id of the call that is being answered goes with it (`X-Call-Id`). Redirects are answers like others.
 * Rejects with a TypeError whose `cause` says why when there is no answer.
 */
export async function fetch(input: string | URL | Request, init: ChainInit = {}): Promise<Response> {
  common ??= new GatewayClient(address())
  const { early, ...rest } = init
  const url = new URL(input instanceof Request ? input.url : input, common.url)
  if (!isOurs(url, common.url)) return globalThis.fetch(input, rest)
  if (!GatewayClient.isFunction(url.pathname)) throw new TypeError(`not the path of a function: ${url.pathname}`)
  const request = input instanceof Request ? new Request(input, rest) : new Request(url, { duplex: 'half', ...rest })
  const call = await callOf(request, false)
  const callId = currentCallId()
  if (callId !== undefined && !call.headers.has('x-call-id')) call.headers.set('x-call-id', callId)
  try {
    const answer = await common.send(call, request.signal, early)
    const { status, headers } = answer
    return new Response(NO_CONTENT.has(status) ? null : (webBody(answer) as never), {
      status,
      headers: headers as [string, string][],
    })
  } catch (cause) {
    request.signal.throwIfAborted()
    throw new TypeError('fetch failed', { cause })
  }
}

/** Ends this process's session with the gateway; the next call begins another, with a ticket. */
export function disconnect(): void {
  common?.disconnect()
}

/** Fetch: null body statuses. */
const NO_CONTENT: ReadonlySet<number> = new Set([204, 205, 304])

function address(): ReturnType<typeof readGatewayAddress> & {} {
  const found = readGatewayAddress(process.env)
  if (found === undefined) throw new TypeError('no gateway: quic_gateway must say where it is (https://HOST:PORT)')
  return { ...found, bundle: takeGatewayKeys() }
}

/** `gateway` and `gateway.openfaas` is what OpenFaaS' functions call it. */
function isOurs(url: URL, gateway: URL): boolean {
  return url.host === gateway.host || url.hostname === 'gateway' || url.hostname.startsWith('gateway.openfaas')
}
