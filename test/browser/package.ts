// What is under test, as its users get it.

export { createServer, Http3Server, type HttpServer, type WebTransportSession } from '../../src/http3/index.ts'
export { QuicEndpoint, type QuicSession, selfSigned } from '../../src/index.ts'
