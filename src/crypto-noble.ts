// The public entry zerotrip/crypto/noble: cryptography without native code.

export { nobleBackend } from './crypto/backend-noble.ts'
