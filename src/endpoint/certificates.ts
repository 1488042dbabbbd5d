// The certificates of an endpoint: as text or as a source, at once or later, with a key that may be elsewhere.

import type { CryptoBackend, SignatureScheme } from '../crypto/backend.ts'
import { refusing, singleCertificate, verifyClients } from '../tls13/certificate-policy.ts'
import type {
  CertificateRequestInfo,
  CertificateSource,
  CertifiedKey,
  ClientAuthentication,
  ClientCertificateSource,
  ClientHelloInfo,
  ClientVerifier,
  ReadyCertificateSource,
  SigningKey,
} from '../tls13/ports.ts'
import { pemBlocks } from '../x509/pem.ts'

/** A key in a machine or service of its own, which signs what it is given. */
export interface RemoteKey {
  /** What it can sign, best first: codes of RFC 8446 §4.2.3. */
  readonly schemes: readonly SignatureScheme[]
  /** The matching SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array
  /** Signs all of `data`, hashed as the scheme says. A rejection ends the handshake with internal_error. */
  signLater(scheme: SignatureScheme, data: Uint8Array): Promise<Uint8Array>
}

type Selected = CertifiedKey | undefined

/**
 * Chooses a certificate by the client's hello, at once or later, with a key here or a `RemoteKey`; undefined or a rejection: none for this client.
 */
export interface AsyncCertificateSource {
  select(hello: ClientHelloInfo): Selected | Promise<Selected>
}

/** Chain and key as PEM texts, or a source. */
export interface CertificateOptions {
  /** Certificate chain, PEM, leaf first. Together with `key`, or else `certificates`, or PSKs alone. */
  readonly cert?: string
  /** Private key of the leaf, PEM. */
  readonly key?: string
  /**
   * Chooses a certificate by the client's hello, at once or later, with a key here or elsewhere. Instead of `cert` and
   * `key`.
   */
  readonly certificates?: AsyncCertificateSource
}

/** What clients are shown from now on; handshakes under way keep what they have. */
export class CurrentCertificates implements CertificateSource {
  #source: AsyncCertificateSource

  constructor(source: AsyncCertificateSource) {
    this.#source = source
  }

  replace(source: AsyncCertificateSource): void {
    this.#source = source
  }

  select(hello: ClientHelloInfo): CertifiedKey | 'later' | undefined {
    const selected = this.#source.select(hello)
    if (!(selected instanceof Promise)) return selected
    // Whoever waits for it sees its failure; nobody does when the connection ends first.
    selected.catch(() => {})
    promised.set(hello, selected)
    return 'later'
  }
}

const promised = new WeakMap<ClientHelloInfo, Promise<Selected>>()

/** What the source of `hello` answers in the end. */
export function promisedCertificate(hello: ClientHelloInfo): Promise<Selected> {
  return promised.get(hello) ?? Promise.resolve(undefined)
}

/** What a key that is elsewhere answers. */
export async function remoteSignature(
  key: SigningKey,
  scheme: SignatureScheme,
  content: Uint8Array,
): Promise<Uint8Array> {
  if (!('signLater' in key)) throw new TypeError('a key needs `sign`, or `signLater` if it is elsewhere')
  return (key as RemoteKey).signLater(scheme, content)
}

/** Throws a TypeError for options that do not fit; undefined: there are none. */
export function certificateSource(
  { cert, key, certificates }: CertificateOptions,
  backend: CryptoBackend,
): AsyncCertificateSource | undefined {
  if (certificates !== undefined) return certificates
  if (cert === undefined && key === undefined) return undefined
  return fromPem(cert, key, backend).source
}

/** A chain with its key. Throws a TypeError that says what is missing or does not fit. */
export function fromPem(
  cert: string | undefined,
  key: string | undefined,
  backend: CryptoBackend,
): { readonly certified: CertifiedKey; readonly source: ReadyCertificateSource } {
  if (cert === undefined || key === undefined) throw new TypeError('`cert` and `key` (PEM) go together')
  const chain = pemBlocks(cert, 'CERTIFICATE')
  if (chain.length === 0) throw new TypeError('`cert` holds no PEM certificate (-----BEGIN CERTIFICATE-----)')
  const certified = { chain, key: backend.privateKey(key) }
  return { certified, source: singleCertificate(certified) }
}

/** Whether and how clients are asked for certificates. */
export interface ClientAuthenticationOptions {
  /**
   * Ask clients for certificates (RFC 8446 §4.3.2). 'request': who has none comes in, and `peer.certificates` is empty;
   * what is shown must be trusted. 'require': nobody comes in without; the client hears so (certificate_required) after
   * its own handshake is complete. Tickets remember who had one. Needs `clientCa` or `clientVerifier`. Default: not.
   */
  readonly clientCertificates?: 'request' | 'require'
  /** Certificate authorities whose clients are trusted, PEM (one or more in a text). Clients are told their names. */
  readonly clientCa?: string | readonly string[]
  /** Judges clients' certificates in place of `clientCa`: throwing refuses, and so does a promise. */
  readonly clientVerifier?: ClientVerifier
}

/** Throws a TypeError for options that do not fit; undefined: clients are not asked. */
export function clientAuthentication(
  { clientCertificates: wish, clientCa, clientVerifier }: ClientAuthenticationOptions,
  backend: CryptoBackend,
): ClientAuthentication | undefined {
  if (wish === undefined) {
    if (clientCa === undefined && clientVerifier === undefined) return undefined
    throw new TypeError("to ask clients for certificates set `clientCertificates` to 'request' or 'require'")
  }
  if (wish !== 'request' && wish !== 'require') throw new TypeError("`clientCertificates` is 'request' or 'require'")
  const isRequired = wish === 'require'
  if (clientVerifier !== undefined) return { isRequired, verifier: refusing(clientVerifier), authorities: [] }
  const roots = clientCa === undefined ? [] : pemBlocks([clientCa].flat().join('\n'), 'CERTIFICATE')
  if (roots.length === 0) throw new TypeError('`clientCertificates` needs `clientCa` (PEM) or a `clientVerifier`')
  return verifyClients(backend, roots, isRequired)
}

/** Chooses the certificate of a client by what the server asks for. */
export interface ClientCertificateOptions {
  /** Our certificate chain for servers that ask for one, PEM, leaf first. Together with `key`. Default: none is shown. */
  readonly cert?: string
  /** Private key of the leaf, PEM. */
  readonly key?: string
  /** Chooses by what the server asks for. Instead of `cert` and `key`. */
  readonly clientCertificate?: { select(request: CertificateRequestInfo): CertifiedKey | undefined }
}

/** Throws a TypeError for options that do not fit; undefined: there is none. */
export function clientCertificate(
  { cert, key, clientCertificate: source }: ClientCertificateOptions,
  backend: CryptoBackend,
): ClientCertificateSource | undefined {
  if (source !== undefined || (cert === undefined && key === undefined)) return source
  const { certified } = fromPem(cert, key, backend)
  return { select: () => certified }
}
