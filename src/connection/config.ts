// What a connection is told when it is made, with defaults, checked once.

import type { MemoryBudget } from '../bytes/memory-budget.ts'
import type { CryptoBackend, NamedGroup } from '../crypto/backend.ts'
import type { CipherSuite } from '../crypto/cipher-suite.ts'
import { limits } from '../limits.ts'
import { defaultTransportParameters, type TransportParameters } from '../packet/transport-parameters.ts'
import { isSupportedVersion, QUIC_V1, QUIC_V2, supportedVersions } from '../packet/version.ts'
import type { Recorder } from '../qlog/recorder.ts'
import type { CongestionController } from '../recovery/congestion/controller.ts'
import type {
  Authorize,
  CertificateCompression,
  CertificateSource,
  CertificateVerifier,
  ClientAuthentication,
  ClientCertificateSource,
  ClientHelloInfo,
  EarlyDataGate,
  KeyLog,
  PskSource,
  TicketIssuer,
} from '../tls13/ports.ts'
import type { Resumption } from '../zero-rtt/resumption.ts'
import type { ConnectionIdSource } from './local-ids.ts'
import type { Address } from './path.ts'
import type { PreferredAddresses } from './preferred-address.ts'

/** Numbers are integers but for `initialRtt` and `sendBufferSize`; a RangeError says which one does not fit. */
export interface TransportOptions {
  /**
   * Idle timeout in ms; 0: none. Default 30,000. RFC 9000 §10.1. A client with an open bidirectional stream sends a PING
   * after a second in which nothing came, and two more before it is content to wait.
   */
  readonly maxIdleTimeout?: number
  /** Bytes the peer may send on all streams together before we consume some. Default 512 KiB. RFC 9000 §4.1. */
  readonly initialMaxData?: number
  /** Bytes the peer may send on one stream before we consume some. Default 256 KiB. RFC 9000 §4.1. */
  readonly initialMaxStreamData?: number
  /**
   * How many bytes we let the peer be ahead of us on one stream, at most. The window begins with `initialMaxStreamData` and
   * grows while we consume so fast that it holds the peer back; one that is not larger does not grow. Default 8 MiB.
   */
  readonly maxStreamWindow?: number
  /** The same for all streams together, beginning with `initialMaxData`. Default 16 MiB. */
  readonly maxConnectionWindow?: number
  /** Bidirectional streams the peer may have open. Default 128. */
  readonly initialMaxStreamsBidi?: number
  /** Unidirectional streams the peer may have open. Default 16. */
  readonly initialMaxStreamsUni?: number
  /** How long we may hold an ACK back, ms. Default 25. RFC 9000 §18.2. */
  readonly maxAckDelay?: number
  /**
   * Let each side say how often it wants to be acknowledged (QUIC Acknowledgment Frequency), if the peer takes part: for
   * long transfers fewer ACKs, for probes sooner ones. Default true.
   */
  readonly ackFrequency?: boolean
  /**
   * Take packets whatever their QUIC bit is, and send it at random to peers that do the same (RFC 9287), so that nobody
   * on the way comes to rely on it. Turn it off where QUIC is told from other protocols on the same port by that bit.
   * Default true.
   */
  readonly greaseQuicBit?: boolean
  /** The largest DATAGRAM frame we take, bytes; 0: none. Default 0. RFC 9221 §3. */
  readonly maxDatagramFrameSize?: number
  /** The largest UDP payload we send, 1,200 to 65,527 bytes. More only where the whole path is known. Default 1,200. */
  readonly maxDatagramSize?: number
  /**
   * Larger datagrams are tried out up to this size while there is much to send (RFC 8899), and never above what the peer
   * takes; no more than `maxDatagramSize`: never. 'interface': up to what the local interface carries to a peer on this
   * machine (16,000 at most) or in a subnet it is in, where the system tells (on Linux), else up to 1,452. Default: that,
   * or `maxDatagramSize` if it is above 1,452.
   */
  readonly probeDatagramSize?: number | 'interface'
  /** Tell clients not to change their address on purpose (RFC 9000 §18.2). Default false. */
  readonly disableActiveMigration?: boolean
  /** RTT assumed before the first sample, ms. Default 333. RFC 9002 §6.2.2. */
  readonly initialRtt?: number
  /**
   * Bytes written to one stream and not yet acknowledged at which `write` asks to wait. Default: 256 KiB, and more as the
   * congestion window grows, up to 16 MiB for all streams together.
   */
  readonly sendBufferSize?: number
  /** Congestion controller. Default CUBIC (RFC 9438). */
  readonly congestion?: (maxDatagramSize: number) => CongestionController
}

interface CommonConfig {
  /**
   * QUIC versions, best first. A client begins with the first one, or with that of its resumption, and offers the others;
   * a server takes the first that a client offers. Default: version 1 for a client; for a server both, without
   * preference: to change the version would make the tickets of many clients useless (RFC 9369 §5).
   */
  readonly versions?: readonly number[]
  readonly alpn: readonly string[]
  readonly transport?: TransportOptions
  readonly cipherSuites?: readonly CipherSuite[]
  readonly groups?: readonly NamedGroup[]
  /** Compresses and decompresses certificates (RFC 8879). Default: they go and come as they are. */
  readonly compression?: CertificateCompression
  readonly keyLog?: KeyLog
  /** Added to `now` to get wall-clock ms since 1970, for certificates and tickets. Default 0. */
  readonly timeOrigin?: number
}

export interface ClientConfig extends CommonConfig {
  /** For SNI and the certificate check. */
  readonly serverName: string
  readonly verifier: CertificateVerifier
  /** Asked when the server wants a certificate of ours. Default: none. */
  readonly certificate?: ClientCertificateSource
  /** What an earlier connection or a platform left: a PSK, parameters, a token. */
  readonly resumption?: Resumption
  /** Offer early data with `resumption`. Default false. */
  readonly earlyData?: boolean
  /** An address validation token from NEW_TOKEN. */
  readonly token?: Uint8Array
  /** Offer reserved values beside real ones (RFC 8701). Default true. */
  readonly grease?: boolean
  /** Go where the server prefers to be reached, once that answers (RFC 9000 §9.6). Default true. */
  readonly followPreferredAddress?: boolean
  /** What to begin with, of `versions`, unless a resumption says. Default the first of them. */
  readonly firstVersion?: number
}

export interface ServerConfig extends CommonConfig {
  /** Those of `alpn` that this client may have, best first. Default: all. */
  readonly protocols?: (hello: ClientHelloInfo) => readonly string[]
  /** May answer later: see the `certificateWanted` event. */
  readonly certificates: CertificateSource
  /** Default: clients are not asked for certificates. */
  readonly clientAuthentication?: ClientAuthentication
  readonly psks: PskSource
  readonly earlyData: EarlyDataGate
  /** Whom the holder of a PSK or a ticket is taken for. Default: whom it says. */
  readonly authorize?: Authorize | undefined
  readonly tickets: TicketIssuer | undefined
  /** Where clients are to reach us after the handshake (RFC 9000 §9.6). Default: where they do already. */
  readonly preferredAddress?: PreferredAddresses
  /** Tickets per connection. Default 2. */
  readonly ticketCount?: number
  /** Opaque application state for tickets, such as HTTP/3 SETTINGS; early data is refused when it changed since. */
  readonly appState?: Uint8Array
  /** A token to hand to the client with NEW_TOKEN once its address is proven. */
  readonly newToken?: () => Uint8Array | undefined
}

/** What surrounds a connection. */
export interface Dependencies {
  readonly backend: CryptoBackend
  /** Makes the log of one connection, named by the destination id of the client's first Initial. */
  readonly recorder: (originalDestination: Uint8Array, vantagePoint: 'client' | 'server') => Recorder
  readonly ids: ConnectionIdSource
  /**
   * The largest UDP payload that is worth trying towards an address; undefined when nothing is known. Asked when there is
   * much to send for the first time on a path: datagrams of that size may follow.
   */
  readonly interfacePayload?: (remote: Address) => number | undefined
  /** Counts what this connection holds, and others with it. Default: one of its own, without limit. */
  readonly memory?: MemoryBudget
}

/** What the endpoint knows of a client whose first Initial packet it accepts. */
export interface Accepted {
  readonly version: number
  readonly remote: Address
  /** Destination id of this Initial: what its keys are derived from (RFC 9001 §5.2). */
  readonly destination: Uint8Array
  /** Source id the client chose. */
  readonly source: Uint8Array
  /** The id this connection shall have, already routed. */
  readonly localId: Uint8Array
  /** Destination id of the client's very first Initial: differs from `destination` after a Retry. */
  readonly originalDestination: Uint8Array
  /** The id a Retry gave, after a Retry. */
  readonly retrySource: Uint8Array | undefined
  /** A token proved the address (RFC 9000 §8.1). */
  readonly isAddressValidated: boolean
}

export interface Transport {
  readonly parameters: TransportParameters
  readonly maxDatagramSize: number
  /** At least `maxDatagramSize`. */
  readonly probeDatagramSize: number
  /** Unless the surroundings know better. */
  readonly asksInterface: boolean
  readonly initialRtt: number | undefined
  readonly sendBufferSize: number | undefined
  readonly maxStreamWindow: number
  readonly maxConnectionWindow: number
  readonly congestion: ((maxDatagramSize: number) => CongestionController) | undefined
}

export const MIN_DATAGRAM_SIZE: number = limits.leastDatagramSize
/** Fits Ethernet under IPv6. */
const DEFAULT_PROBED = 1452
/** Longer address tokens would leave no room for the ClientHello beside them: they are not used. */
export const MAX_TOKEN_LENGTH: number = limits.tokenLength
export const ACTIVE_CONNECTION_ID_LIMIT: number = limits.peerConnectionIds

/** A client begins with what every server speaks. */
export const CLIENT_VERSIONS: readonly number[] = [QUIC_V1]
/** What a server speaks. Unless told which it prefers, it stays with the one the client begins with. */
export const SERVER_VERSIONS: readonly number[] = [QUIC_V2, QUIC_V1]

/** Those of a server without preference, for a client that begins with `version`. */
export function versionsFrom(version: number): readonly number[] {
  return [version, ...SERVER_VERSIONS.filter(other => other !== version)]
}

/** Timers of Node are no finer, µs. */
const MIN_ACK_DELAY = 1000

const MiB = 1024 * 1024

/** Fills in the defaults. Throws a RangeError that names the option that does not fit. */
export function resolveTransport(options: TransportOptions = {}): Transport {
  const maxDatagramSize = integerWithin('maxDatagramSize', options.maxDatagramSize ?? MIN_DATAGRAM_SIZE, 1200, 65_527)
  // Who knows of a path that takes more than usual knows how much.
  const { probeDatagramSize = maxDatagramSize > DEFAULT_PROBED ? maxDatagramSize : 'interface' } = options
  const asksInterface = probeDatagramSize === 'interface'
  const probed = asksInterface ? DEFAULT_PROBED : integerWithin('probeDatagramSize', probeDatagramSize, 1200, 65_527)
  const maxAckDelay = integerWithin('maxAckDelay', options.maxAckDelay ?? 25, 0, 2 ** 14 - 1)
  const streamData = integerWithin('initialMaxStreamData', options.initialMaxStreamData ?? MiB / 4, 0, 2 ** 53 - 1)
  return {
    maxDatagramSize,
    probeDatagramSize: Math.max(maxDatagramSize, probed),
    asksInterface,
    initialRtt: options.initialRtt === undefined ? undefined : within('initialRtt', options.initialRtt, 0.01, 60_000),
    sendBufferSize:
      options.sendBufferSize === undefined
        ? undefined
        : within('sendBufferSize', options.sendBufferSize, 1024, 2 ** 31),
    maxStreamWindow: integerWithin('maxStreamWindow', options.maxStreamWindow ?? limits.streamWindow, 0, 2 ** 53 - 1),
    maxConnectionWindow: integerWithin(
      'maxConnectionWindow',
      options.maxConnectionWindow ?? limits.connectionWindow,
      0,
      2 ** 53 - 1,
    ),
    congestion: options.congestion,
    parameters: {
      ...defaultTransportParameters,
      maxIdleTimeout: integerWithin('maxIdleTimeout', options.maxIdleTimeout ?? 30_000, 0, 2 ** 53 - 1),
      maxUdpPayloadSize: 65_527,
      initialMaxData: integerWithin('initialMaxData', options.initialMaxData ?? MiB / 2, 0, 2 ** 53 - 1),
      initialMaxStreamDataBidiLocal: streamData,
      initialMaxStreamDataBidiRemote: streamData,
      initialMaxStreamDataUni: streamData,
      initialMaxStreamsBidi: integerWithin(
        'initialMaxStreamsBidi',
        options.initialMaxStreamsBidi ?? limits.bidirectionalStreams,
        0,
        2 ** 40,
      ),
      initialMaxStreamsUni: integerWithin(
        'initialMaxStreamsUni',
        options.initialMaxStreamsUni ?? limits.unidirectionalStreams,
        0,
        2 ** 40,
      ),
      maxAckDelay,
      resetStreamAt: true,
      greaseQuicBit: options.greaseQuicBit ?? true,
      minAckDelay: (options.ackFrequency ?? true) ? Math.min(MIN_ACK_DELAY, maxAckDelay * 1000) : undefined,
      disableActiveMigration: options.disableActiveMigration ?? false,
      activeConnectionIdLimit: ACTIVE_CONNECTION_ID_LIMIT,
      maxDatagramFrameSize: integerWithin('maxDatagramFrameSize', options.maxDatagramFrameSize ?? 0, 0, 65_535),
    },
  }
}

/** Throws a RangeError for a list that cannot be used. */
export function resolveVersions(
  versions: readonly number[] | undefined,
  byDefault: readonly number[],
): readonly number[] {
  if (versions === undefined) return byDefault
  const isUsable =
    versions.length > 0 && versions.every(isSupportedVersion) && new Set(versions).size === versions.length
  if (isUsable) return [...versions]
  const known = supportedVersions.map(version => `0x${version.toString(16)}`).join(' and ')
  throw new RangeError(`versions must list one or more of ${known}, each once`)
}

/** Throws a RangeError for a version to begin with that is not among them. */
export function resolveFirstVersion(first: number | undefined, versions: readonly number[]): number {
  if (first === undefined) return versions[0] as number
  if (versions.includes(first)) return first
  throw new RangeError(`firstVersion must be one of versions, not ${first}`)
}

/** Of what goes out as a variable-length integer, or is the size of a buffer. */
function integerWithin(name: string, value: number, least: number, most: number): number {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`)
  }
  return value
}

function within(name: string, value: number, least: number, most: number): number {
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${value}`)
  }
  return value
}
