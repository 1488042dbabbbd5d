// node:http without an import of it, which would ask for each of its exports: for one of them, WebSocket, Node 22 and
// later load all of undici.

import type * as types from 'node:http'

const http: typeof types = process.getBuiltinModule('node:http')

export const IncomingMessage: typeof types.IncomingMessage = http.IncomingMessage
export type IncomingMessage = types.IncomingMessage
export const OutgoingMessage: typeof types.OutgoingMessage = http.OutgoingMessage
export const ServerResponse: typeof types.ServerResponse = http.ServerResponse
export type ServerResponse<Request extends IncomingMessage> = types.ServerResponse<Request>
