// Entry point `zerotrip/http3`.

export type { RequestChannelName, RequestMessages } from '../web/channels.ts'
export { Http3Agent, type Http3AgentOptions } from '../web/client/agent.ts'
export type { ClientStreamOptions, Http3ClientStream } from '../web/client/client-stream.ts'
export type { DispatchController, DispatchHandler, DispatchOptions } from '../web/client/dispatch.ts'
export type { FallbackDispatcher } from '../web/client/fallback.ts'
export { type FetchInit, fetch } from '../web/client/fetch.ts'
export {
  type ClientRequestOptions,
  get,
  globalAgent,
  type Http3ClientRequest,
  request,
} from '../web/compat/client-request.ts'
export type { CompatRequest } from '../web/compat/request.ts'
export { RequestError, type RequestErrorCode } from '../web/errors.ts'
export type { HeaderMap, OutgoingHeaders } from '../web/messages/header-map.ts'
export type { MessageStream } from '../web/messages/message-stream.ts'
export { type ProvisionHttp3Options, provisionHttp3 } from '../web/provision.ts'
export { restoredBackend } from '../web/restored-backend.ts'
export { Http3Endpoint, type ServeOptions, serve } from '../web/serve.ts'
export { createServer, type HttpServer, type HttpServerOptions } from '../web/server/http-server.ts'
export type { Http3ServerStream } from '../web/server/server-stream.ts'
export type { ServerRequestChannelName, ServerRequestMessages } from '../web/server-channels.ts'
export { connect, type Http3ConnectOptions, type Http3FetchInit, Http3Session } from '../web/session.ts'
export type { ServerTimeouts } from '../web/session-watch.ts'
export { serverParameters, serverSettings } from '../web/settings.ts'
export type { TcpServerOptions } from '../web/tcp/tcp-server.ts'
export { webSocketConnection } from '../web/websocket/connection.ts'
export type { UpgradeHandler } from '../web/websocket/upgrade.ts'
export { WebTransport, type WebTransportOptions } from '../web/webtransport.ts'
export { Http3Client, type Http3ClientOptions } from './client.ts'
export type { OutgoingRequest } from './client-exchange.ts'
export { type EarlyDataPolicy, type EarlyDecision, type EarlyQuestion, forwardEarlyData } from './early-data.ts'
export { Http3Error, Http3ErrorCode, Http3StreamError } from './error-codes.ts'
export type { RequestHead, ResponseHead } from './fields.ts'
export { Hq09Client, type Hq09Handler, Hq09Server } from './hq.ts'
export type { RequestStream } from './request-stream.ts'
export { type Http3Handler, Http3Server, type Http3ServerOptions } from './server.ts'
export type { Http3Request } from './server-request.ts'
export type { Http3Transport, Http3TransportEvent } from './transport.ts'
export { WebTransportError } from './webtransport/error.ts'
export type {
  WebTransportAnswer,
  WebTransportRequest,
  WebTransportServerOptions,
  WebTransportServerSession,
} from './webtransport/server.ts'
export { WebTransportSession } from './webtransport/session.ts'
export type { WebTransportStream } from './webtransport/stream.ts'
