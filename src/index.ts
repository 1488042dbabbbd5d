// Entry point `zerotrip`: QUIC endpoints, sessions and streams.

export type { TransportOptions } from './connection/config.ts'
export type { DatagramFate, PeerInfo } from './connection/events.ts'
export type { Address } from './connection/path.ts'
export type { PreferredAddresses } from './connection/preferred-address.ts'
export type { ConnectionStatistics } from './connection/statistics.ts'
export type { CryptoBackend, NamedGroupName } from './crypto/backend.ts'
export { nodeBackend } from './crypto/backend-node.ts'
export { defaultBackend, wasmBackend } from './crypto/backend-wasm.ts'
export { type HostRateOptions, limitPerHost, retryAlways, retryNever, retryUnderLoad } from './endpoint/admission.ts'
export type { Application } from './endpoint/application.ts'
export type {
  AsyncCertificateSource,
  CertificateOptions,
  ClientAuthenticationOptions,
  ClientCertificateOptions,
  RemoteKey,
} from './endpoint/certificates.ts'
export type {
  DiagnosticsChannelName,
  DiagnosticsMessages,
  ObservedEndpoint,
  ObservedSession,
} from './endpoint/channels.ts'
export type { CloseOptions } from './endpoint/closing.ts'
export { connect, listen, QuicEndpoint } from './endpoint/endpoint.ts'
export type { EndpointOptions } from './endpoint/endpoint-options.ts'
export type { EndpointStatistics } from './endpoint/endpoint-statistics.ts'
export { QuicError, type QuicErrorCode } from './endpoint/errors.ts'
export type {
  Admission,
  Admit,
  Incoming,
} from './endpoint/incoming.ts'
export { MAX_KEY_SHARES_AHEAD, withKeySharesAhead } from './endpoint/key-shares-ahead.ts'
export type { Listener } from './endpoint/listener.ts'
export type { CipherSuiteName, ConnectOptions, ListenOptions } from './endpoint/options.ts'
export type { DatagramOptions, QuicDatagrams } from './endpoint/quic-datagrams.ts'
export type { ApplicationFactory, CloseInfo, QuicSession } from './endpoint/quic-session.ts'
export type { QuicStream } from './endpoint/quic-stream.ts'
export { QuicStreams } from './endpoint/quic-streams.ts'
export type { ConnectionIdGenerator } from './endpoint/router.ts'
export type { LocalAddress } from './endpoint/session-paths.ts'
export type { SessionTransport } from './endpoint/session-transport.ts'
export type { CertificateHash, TrustOptions } from './endpoint/trust.ts'
export type { UdpAddress, UdpOptions } from './endpoint/udp-socket.ts'
export { WorkerConnectionIds, type WorkerConnectionIdsOptions, workerConnectionIds } from './endpoint/worker-ids.ts'
export { limits } from './limits.ts'
export { QUIC_V1, QUIC_V2 } from './packet/version.ts'
export { bbr } from './recovery/congestion/bbr.ts'
export { cubic } from './recovery/congestion/cubic.ts'
export { newReno } from './recovery/congestion/new-reno.ts'
export {
  bySni,
  insecureVerifier,
  pinnedCertificates,
  pinnedKeys,
  singleCertificate,
  verifyChain,
} from './tls13/certificate-policy.ts'
export type {
  CertificateRequestInfo,
  CertificateSource,
  CertificateVerifier,
  CertifiedKey,
  ClientHelloInfo,
  ClientVerifier,
  KeyLog,
} from './tls13/ports.ts'
export { type SelfSigned, type SelfSignedOptions, selfSigned } from './web/self-signed.ts'
export { CertificateError, type CertificateErrorReason } from './x509/certificate-error.ts'
export { issueCertificate, newPrivateKey } from './x509/issue.ts'
