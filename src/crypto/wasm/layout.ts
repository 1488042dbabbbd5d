// Where things lie in the module's memory, which has one size for ever: a memory that grows takes every view of it away.
// backend-wasm.ts holds the same numbers.

/** Working space of one call, erased where it held a secret. */
export const SCRATCH: usize = 1024
/** Key stream of four blocks that is not laid over its text at once. */
export const STREAM: usize = SCRATCH
/** The nonce of the packet: 12 bytes. */
export const NONCE: usize = SCRATCH + 256
/** A tag that was computed, to be compared with the one that came. */
export const TAG: usize = SCRATCH + 272
/** The mask of a header: 8 bytes, of which 5 are used. */
export const MASK: usize = SCRATCH + 288
/** The last piece of a text, filled up with zeros. */
export const PIECE: usize = SCRATCH + 304
/** 256 zeros. */
export const ZEROS: usize = SCRATCH + 512
/** SHA-256: message schedule, 64 words. */
export const SCHEDULE: usize = SCRATCH + 768
/** Running hash values, 32 bytes each: the one at work, and those after the two pads of `HMAC_KEY`. */
export const HASH: usize = SCRATCH + 1024
export const INNER: usize = SCRATCH + 1056
export const OUTER: usize = SCRATCH + 1088
/** The padded key whose pads were hashed last: 64 bytes. */
export const HMAC_KEY: usize = SCRATCH + 1120
/** A padded block: 128 bytes. */
export const BLOCK: usize = SCRATCH + 1184
/** AES-128: eleven round keys, and the block that was encrypted last. */
export const ROUND_KEYS: usize = SCRATCH + 1312
export const CIPHER_BLOCK: usize = SCRATCH + 1488
/** The inner hash of an HMAC: 32 bytes. */
export const INNER_HASH: usize = SCRATCH + 1504

/** AES: the table of a round, 256 words. The constants of SHA-256 lie before it (scripts/build-wasm.mjs). */
export const ROUND_TABLE: usize = 3072

/** What callers put in: key or state of a hash, and the text. The answer is in `HASH`. */
export const IN_KEY: usize = 4096
export const IN_TEXT: usize = 4160
export const IN_TEXT_LENGTH: usize = 2048

/** Of a key slot: packet key, header key, IV. */
export const SLOT_HEADER_KEY: usize = 32
export const SLOT_IV: usize = 64
/** Which cipher they are for: 0, ChaCha20-Poly1305, or `AES`. */
export const SLOT_CIPHER: usize = 76
export const AES: u32 = 1
