// What a process can listen to about requests, without touching the program: node:diagnostics_channel, named after
// undici's. A message is made only when somebody has subscribed.

import { type Channel, channel } from 'node:diagnostics_channel'
import type { HeaderMap } from './messages/header-map.ts'

/** A request, as an observer sees it; the same object in all messages about it. */
export interface ObservedRequest {
  readonly origin: string
  readonly method: string
  readonly path: string
  readonly headers: HeaderMap
}

export interface ObservedResponse {
  readonly statusCode: number
  readonly headers: HeaderMap
}

/** Channels and what they carry. */
export interface RequestMessages {
  /** An agent was asked for something. */
  'zerotrip:request:create': { readonly request: ObservedRequest }
  /** The whole request was handed to the connection. */
  'zerotrip:request:bodySent': { readonly request: ObservedRequest }
  /** The header section of the final response is there. */
  'zerotrip:request:headers': { readonly request: ObservedRequest; readonly response: ObservedResponse }
  /** The response is complete. */
  'zerotrip:request:trailers': { readonly request: ObservedRequest; readonly trailers: HeaderMap }
  /** It failed, for good. */
  'zerotrip:request:error': { readonly request: ObservedRequest; readonly error: Error }
}

export type RequestChannelName = keyof RequestMessages

type Topic<N extends RequestChannelName> = Pick<Channel<unknown, RequestMessages[N]>, 'hasSubscribers' | 'publish'>

function topic<N extends RequestChannelName>(name: N): Topic<N> {
  return channel(name) as Channel<unknown, RequestMessages[N]>
}

export const requestCreate: Topic<'zerotrip:request:create'> = topic('zerotrip:request:create')
export const requestBodySent: Topic<'zerotrip:request:bodySent'> = topic('zerotrip:request:bodySent')
export const requestHeaders: Topic<'zerotrip:request:headers'> = topic('zerotrip:request:headers')
export const requestTrailers: Topic<'zerotrip:request:trailers'> = topic('zerotrip:request:trailers')
export const requestErrors: Topic<'zerotrip:request:error'> = topic('zerotrip:request:error')
