// The backend of node:crypto whatever the tests run with (vitest.config.ts makes an exception of this file), for what
// others leave out: to sign with RSA.

export { nodeBackend as openssl } from '../../src/crypto/backend-node.ts'
