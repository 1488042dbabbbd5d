// Entry point `zerotrip/http3`.

export { type ProvisionHttp3Options, provisionHttp3 } from '../web/provision.ts'
export { Http3Endpoint, type ServeOptions, serve } from '../web/serve.ts'
export { connect, fetch, type Http3ConnectOptions, type Http3FetchInit, Http3Session } from '../web/session.ts'
export { serverParameters, serverSettings } from '../web/settings.ts'
export { Http3Client, type Http3ClientOptions } from './client.ts'
export { type EarlyDataPolicy, type EarlyDecision, type EarlyQuestion, forwardEarlyData } from './early-data.ts'
export { Http3Error, Http3ErrorCode, Http3StreamError } from './error-codes.ts'
export { Hq09Client, type Hq09Handler, Hq09Server } from './hq.ts'
export { type Http3Handler, Http3Server, type Http3ServerOptions } from './server.ts'
export type { Http3Request } from './server-request.ts'
export type { Http3Transport, Http3TransportEvent } from './transport.ts'
