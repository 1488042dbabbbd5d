// The cipher suites of TLS 1.3 that QUIC uses (RFC 8446 §B.4, RFC 9001 §5.3) and their limits (RFC 9001 §6.6).

export type HashName = 'sha256' | 'sha384'
export type AeadName = 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305'

export interface CipherSuite {
  /** The code on the wire. */
  readonly id: number
  readonly name: string
  readonly aead: AeadName
  /** Bytes of key; the header protection key has the same length. */
  readonly keyLength: number
  readonly hash: HashName
  readonly hashLength: number
  /** Packets that may be sealed with one key (RFC 9001 §6.6). */
  readonly confidentialityLimit: number
  /** Forged packets that may be received before the connection must end (RFC 9001 §6.6). */
  readonly integrityLimit: number
}

export const TLS_AES_128_GCM_SHA256: CipherSuite = {
  id: 0x1301,
  name: 'TLS_AES_128_GCM_SHA256',
  aead: 'aes-128-gcm',
  keyLength: 16,
  hash: 'sha256',
  hashLength: 32,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

/** What protects Initial packets, whose keys everybody knows who sees the first one (RFC 9001 §5.2). */
export const INITIAL_SUITE: CipherSuite = { ...TLS_AES_128_GCM_SHA256 }

export const TLS_AES_256_GCM_SHA384: CipherSuite = {
  id: 0x1302,
  name: 'TLS_AES_256_GCM_SHA384',
  aead: 'aes-256-gcm',
  keyLength: 32,
  hash: 'sha384',
  hashLength: 48,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

export const TLS_CHACHA20_POLY1305_SHA256: CipherSuite = {
  id: 0x1303,
  name: 'TLS_CHACHA20_POLY1305_SHA256',
  aead: 'chacha20-poly1305',
  keyLength: 32,
  hash: 'sha256',
  hashLength: 32,
  confidentialityLimit: Number.POSITIVE_INFINITY,
  integrityLimit: 2 ** 36,
}

const suites: readonly CipherSuite[] = [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]

export function cipherSuite(id: number): CipherSuite | undefined {
  return suites.find(suite => suite.id === id)
}

/** Every suite here has a 16-byte tag and a 12-byte nonce. */
export const TAG_LENGTH: number = 16
export const IV_LENGTH: number = 12
