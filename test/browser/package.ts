// What is under test, as its users get it.

export { createServer, type HttpServer, type WebTransportSession } from '../../src/http3/index.ts'
export { selfSigned } from '../../src/index.ts'
