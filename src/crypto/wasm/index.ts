// The exports of the module: what wasm-memory.ts and backend-wasm.ts call.

export { decrypt, encrypt } from './aead'
export { deriveKeys } from './keys'
export { mask, openPacket, sealPacket } from './packet'
export { forgetHashes, hmacSha256, sha256, sha256Blocks, sha256Finish, sha256Start } from './sha256'
