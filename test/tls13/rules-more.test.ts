// More rules of RFC 8446 for the peer: second hellos, PSKs, early data, certificates of clients, tickets.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { insecureVerifier, verifyChain, verifyClients } from '../../src/tls13/certificate-policy.ts'
import { EarlyStage } from '../../src/tls13/key-schedule.ts'
import { writeEncryptedExtensions } from '../../src/tls13/messages/encrypted-extensions.ts'
import { HELLO_RETRY_RANDOM } from '../../src/tls13/messages/server-hello.ts'
import type { OfferedPsk, Psk } from '../../src/tls13/ports.ts'
import { startClient, startServer, type TlsClientConfig, type TlsServerConfig } from '../../src/tls13/session.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { scenario } from '../x509/scenarios.ts'
import { answerAsServer } from './by-hand.ts'
import { clientHello, type Extension, neededExtensions, u16, vector } from './hello-parts.ts'
import {
  badCertificate,
  decodeError,
  decryptError,
  errorOf,
  handshakeFailure,
  illegalParameter,
  missingExtension,
  none,
  protocolVersion,
  unexpectedMessage,
  unsupportedCertificate,
  unsupportedExtension,
} from './quic-errors.ts'
import { certified, clientConfig, drain, message, Pipe, replacing, serverConfig, serverParameters } from './support.ts'

const { X25519, P256 } = NamedGroup
const share = nodeBackend.keyExchange(X25519).publicKey
const needed = neededExtensions(share)
const version = [0, 43, 0, 2, 3, 4]
const keyShare = [0, 51, ...vector(2, u16(X25519), vector(2, [...share]))]
const cookie = [0, 44, 0, 3, 0, 1, 7]
const unknown = [0xab, 0xcd, 0, 0]
const alpn = [0, 16, 0, 5, 0, 3, 2, 0x68, 0x33]
const parameters = [0, 0x39, 0, 0]

const offered: OfferedPsk = {
  kind: 'external',
  identity: Uint8Array.of(1),
  secret: new Uint8Array(32),
  hash: 'sha256',
  obfuscatedAge: 0,
  earlyData: undefined,
}
const known: Psk = {
  kind: 'external',
  secret: offered.secret,
  hash: 'sha256',
  earlyData: undefined,
  expires: Number.POSITIVE_INFINITY,
  appState: new Uint8Array(0),
}
const withPsk = { client: { psk: offered }, server: { psks: { find: () => known } } }

/** ServerHello or HelloRetryRequest. */
function hello(extensions: number[][], { suite = 0x1301, session = [] as number[], compression = 0 } = {}) {
  return (random: readonly number[] = new Array(32).fill(5)): Uint8Array =>
    message(2, [3, 3, ...random, ...vector(1, session), ...u16(suite), compression, ...vector(2, ...extensions)])
}

/** A client hears these, one after the other. */
function toClient(config: Partial<TlsClientConfig>, ...messages: Uint8Array[]): () => unknown {
  return () => {
    const client = startClient(clientConfig(config), testTime)
    drain(client)
    for (const bytes of messages) client.receive(Level.Initial, bytes, testTime)
  }
}

const retry = [...HELLO_RETRY_RANDOM]
const asksForP256 = hello([version, [0, 51, 0, 2, ...u16(P256)]])(retry)
const groups = { groups: [X25519, P256] }

/** A server hears a ClientHello with some extensions changed, and others behind them. */
function toServer(changes: Record<string, Extension>, ...more: Extension[]): () => unknown {
  const bytes = clientHello({ extensions: [...Object.values({ ...needed, ...changes }), ...more] })
  return () => startServer(serverConfig()).receive(Level.Initial, bytes, testTime)
}

/** Messages of one type in a handshake become others. */
function instead(
  type: number,
  messages: readonly Uint8Array[] | ((original: Uint8Array) => readonly Uint8Array[]),
  { client = {}, server = {} }: { client?: Partial<TlsClientConfig>; server?: Partial<TlsServerConfig> } = {},
): () => unknown {
  const replace = typeof messages === 'function' ? messages : () => messages
  return () => new Pipe(client, server).run(replacing(type, replace))
}

/** The second ClientHello becomes another. */
function second(change: (second: Uint8Array, first: Uint8Array) => Uint8Array): () => unknown {
  const seen: Uint8Array[] = []
  const replace = (bytes: Uint8Array): Uint8Array[] => {
    seen.push(bytes)
    return [seen.length === 2 ? change(bytes, seen[0] as Uint8Array) : bytes]
  }
  return instead(1, replace, { client: groups, server: { groups: [P256] } })
}

/** A ClientHello with one more extension behind the others. */
function lengthened(bytes: Uint8Array, ...extension: number[]): Uint8Array {
  const suites = 39 + 2 + ((bytes[39] as number) << 8) + (bytes[40] as number)
  const at = suites + 2
  const body = [...bytes.subarray(4, at), ...vector(2, [...bytes.subarray(at + 2), ...extension])]
  return message(1, body)
}

const requested = message(13, [0, ...vector(2, [0, 13, 0, 4, 0, 2, 4, 3])])
const encryptedExtensions = writeEncryptedExtensions({
  alpn: 'h3',
  transportParameters: serverParameters,
  isEarlyDataAccepted: false,
  isNameAcknowledged: true,
})

/** A client is asked for a certificate. */
function asked(...requests: Uint8Array[]): () => unknown {
  return () => {
    const client = startClient(clientConfig({ verifier: insecureVerifier }), testTime)
    answerAsServer(client, { certified: certified(p256), encryptedExtensions, extra: requests })
  }
}

/** A client with a certificate, one message of which becomes others. */
function ofClient(type: number, change: (original: Uint8Array) => readonly Uint8Array[]): () => unknown {
  const shown = certified(p256)
  const pipe = new Pipe(
    { certificate: { select: () => shown } },
    { clientAuthentication: { ...verifyClients(nodeBackend, [caDer], true), verifier: { verify: () => undefined } } },
  )
  return () => pipe.run((from, bytes) => (from === 'client' && bytes[0] === type ? change(bytes) : [bytes]))
}

/** A client that is done gets a ticket. */
function ticket(lifetime: number, ...extensions: number[][]): () => unknown {
  const body = [0, 0, 0, 0, 0, 0, 0, 9, ...vector(1, [1]), ...vector(2, [7]), ...vector(2, ...extensions)]
  body[3] = lifetime
  return () => new Pipe().run().client.receive(Level.OneRtt, message(4, body), testTime)
}

const certificate = (context: number[], extensions: number[]): Uint8Array => {
  const der = [...(p256.chain[0] as Uint8Array)]
  const entry = [0, ...u16(der.length), ...der, ...vector(2, extensions)]
  return message(11, [...vector(1, context), 0, ...u16(entry.length), ...entry])
}

const psks = (identities: number, binders: number): Extension => [
  41,
  [
    ...vector(2, ...Array.from({ length: identities }, () => [...vector(2, [1]), 0, 0, 0, 0])),
    ...vector(2, ...Array.from({ length: binders }, () => vector(1, new Array(32).fill(0)))),
  ],
]

const offCurve = [4, ...new Array(64).fill(1)]
const selected = (index: number): number[] => [0, 41, 0, 2, 0, index]

const rules: [title: string, act: () => unknown, code: number][] = [
  [
    'RFC 8446 §4.1.1: no group in common',
    toServer({ groups: [10, vector(2, u16(0x19))], shares: [51, vector(2)] }),
    handshakeFailure,
  ],
  [
    'RFC 8446 §4.1.2: a ClientHello in the middle of a handshake',
    instead(20, [clientHello({ extensions: Object.values(needed) })]),
    unexpectedMessage,
  ],
  [
    'RFC 8446 §4.1.2: a ClientHello after the handshake',
    () => new Pipe().run().server.receive(Level.OneRtt, clientHello({ extensions: Object.values(needed) }), testTime),
    unexpectedMessage,
  ],
  ['RFC 8446 §4.1.3: a ServerHello without supported_versions', toClient({}, hello([keyShare])()), protocolVersion],
  ['RFC 8446 §4.1.3: a ServerHello without a key share', toClient({}, hello([version])()), missingExtension],
  ['RFC 8446 §4.1.4: a HelloRetryRequest that breaks no rule', toClient(groups, asksForP256), none],
  ['RFC 8446 §4.1.4: a second HelloRetryRequest', toClient(groups, asksForP256, asksForP256), unexpectedMessage],
  [
    'RFC 8446 §4.1.4: a HelloRetryRequest without supported_versions',
    toClient({}, hello([cookie])(retry)),
    protocolVersion,
  ],
  [
    'RFC 8446 §4.1.4: a suite that was not offered, in a HelloRetryRequest',
    toClient({}, hello([version, cookie], { suite: 0x1304 })(retry)),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: a session id in a HelloRetryRequest',
    toClient({}, hello([version, cookie], { session: [1] })(retry)),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: compression in a HelloRetryRequest',
    toClient({}, hello([version, cookie], { compression: 1 })(retry)),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: another suite after a HelloRetryRequest',
    toClient({}, hello([version, cookie])(retry), hello([version, keyShare], { suite: 0x1303 })()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: another version after a HelloRetryRequest',
    toClient({}, hello([version, cookie])(retry), hello([[0, 43, 0, 2, 3, 3], keyShare])()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension twice in ServerHello',
    toClient({}, hello([version, keyShare, keyShare])()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension twice in a HelloRetryRequest',
    toClient({}, hello([version, cookie, cookie])(retry)),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension twice in EncryptedExtensions',
    instead(8, [message(8, vector(2, alpn, alpn, parameters))]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension twice in a CertificateRequest',
    asked(message(13, [0, ...vector(2, [0, 13, 0, 4, 0, 2, 4, 3], unknown, unknown)])),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension twice in a Certificate',
    instead(11, [certificate([], [...unknown, ...unknown])]),
    illegalParameter,
  ],
  ['RFC 8446 §4.2: an extension twice in a NewSessionTicket', ticket(9, unknown, unknown), illegalParameter],
  [
    'RFC 8446 §4.2: an extension of a Certificate that was not offered',
    instead(11, [certificate([], unknown)]),
    unsupportedExtension,
  ],
  [
    'RFC 8446 §4.2: an offered extension that does not belong into a Certificate',
    instead(11, [certificate([], alpn)]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension that does not belong into a CertificateRequest',
    asked(message(13, [0, ...vector(2, [0, 13, 0, 4, 0, 2, 4, 3], version)])),
    illegalParameter,
  ],
  ['RFC 8446 §4.2: an extension that does not belong into a NewSessionTicket', ticket(9, version), illegalParameter],
  [
    'RFC 8446 §4.2.8: another group than the one that was asked for',
    toClient(groups, asksForP256, hello([version, keyShare])()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8: a second ClientHello without the share that was asked for',
    second((_, first) => first),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8.2: a point of a client that is not on the curve',
    toServer({
      groups: [10, vector(2, u16(P256))],
      shares: [51, vector(2, u16(P256), vector(2, offCurve))],
    }),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8.2: a point of a server that is not on the curve',
    toClient({ groups: [P256] }, hello([version, [0, 51, ...vector(2, u16(P256), vector(2, offCurve))]])()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.9: psk_key_exchange_modes from a server',
    instead(8, [message(8, vector(2, alpn, parameters, [0, 45, 0, 2, 1, 1]))]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.10: early_data in a second ClientHello',
    second(bytes => lengthened(lengthened(bytes, 0, 42, 0, 0), 0, 41, ...vector(2, [...psks(1, 1)[1]]))),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.10: early data accepted that was not offered',
    instead(8, [message(8, vector(2, alpn, parameters, [0, 42, 0, 0]))]),
    unsupportedExtension,
  ],
  ['RFC 8446 §4.2.11: as many binders as identities', toServer({}, psks(2, 1)), illegalParameter],
  ['RFC 8446 §4.2.11: no identity at all', toServer({}, psks(0, 0)), decodeError],
  [
    'RFC 8446 §4.2.11: a PSK that is out of range',
    toClient(withPsk.client, hello([version, keyShare, selected(1)])()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.11: a PSK with a suite of another hash',
    toClient(withPsk.client, hello([version, keyShare, selected(0)], { suite: 0x1302 })()),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.11: a PSK without a key share',
    toClient(withPsk.client, hello([version, selected(0)])()),
    illegalParameter,
  ],
  ['RFC 8446 §4.3.2: a CertificateRequest that breaks no rule', asked(requested), none],
  [
    'RFC 8446 §4.3.2: unknown extensions of a CertificateRequest are ignored',
    asked(message(13, [0, ...vector(2, [0, 13, 0, 4, 0, 2, 4, 3], unknown)])),
    none,
  ],
  [
    'RFC 8446 §4.3.2: a CertificateRequest without signature_algorithms',
    asked(message(13, [0, ...vector(2, unknown)])),
    missingExtension,
  ],
  [
    'RFC 8446 §4.3.2: a CertificateRequest with a context',
    asked(message(13, [1, 9, ...vector(2, [0, 13, 0, 4, 0, 2, 4, 3])])),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.3.2: a CertificateRequest beside a PSK',
    instead(20, original => [requested, original], withPsk),
    unexpectedMessage,
  ],
  ['RFC 8446 §4.4.2: a context in the Certificate of a server', instead(11, [certificate([1], [])]), illegalParameter],
  [
    'RFC 8446 §4.4.2: a context in the Certificate of a client',
    ofClient(11, () => [certificate([1], [])]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.4.2: an extension in the Certificate of a client that nobody asked for',
    ofClient(11, () => [certificate([], unknown)]),
    unsupportedExtension,
  ],
  [
    'RFC 8446 §4.4.2.2: a certificate that may not sign',
    instead(15, original => [original], {
      client: { verifier: { verify: (_, __, time) => judge('key-encipherment', 'ca', time) } },
    }),
    unsupportedCertificate,
  ],
  [
    'RFC 8446 §4.4.2.4: a certificate signed with MD5',
    instead(15, original => [original], {
      client: { verifier: { verify: (_, __, time) => judge('rsa-md5', 'root-rsa', time) } },
    }),
    badCertificate,
  ],
  [
    'RFC 8446 §4.4.2.4: a certificate signed with SHA-1',
    instead(15, original => [original], {
      client: { verifier: { verify: (_, __, time) => judge('ecdsa-sha1', 'ca', time) } },
    }),
    badCertificate,
  ],
  ['RFC 8446 §4.4.3: a server that shows a certificate and proves nothing', instead(15, []), unexpectedMessage],
  ['RFC 8446 §4.4.3: a client that shows a certificate and proves nothing', ofClient(15, () => []), unexpectedMessage],
  ['RFC 8446 §4.4.3: a signature of RSA by SHA-1', instead(15, [message(15, [2, 1, 0, 0])]), illegalParameter],
  [
    'RFC 8446 §4.4.3: a signature of a client that does not verify',
    ofClient(15, () => [message(15, [4, 3, 0, 0])]),
    decryptError,
  ],
  [
    'RFC 8446 §4.4.3: a signature of a client by a scheme that nobody asked for',
    ofClient(15, () => [message(15, [2, 3, 0, 0])]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.4.4: a Finished of a client that does not verify',
    ofClient(20, () => [message(20, new Uint8Array(32))]),
    decryptError,
  ],
  ['RFC 8446 §4.4.4: a Finished of another length', instead(20, [message(20, new Uint8Array(31))]), decodeError],
  ['RFC 8446 §4.5: EndOfEarlyData from a server', instead(20, [message(5, [])]), unexpectedMessage],
  ['RFC 8446 §4.6.1: unknown extensions of a NewSessionTicket are ignored', ticket(9, unknown), none],
  [
    'RFC 8446 §4.6.1: a NewSessionTicket before the Finished',
    instead(20, original => [message(4, [0, 0, 0, 9, 0, 0, 0, 9, 1, 1, 0, 1, 7, 0, 0]), original]),
    unexpectedMessage,
  ],
  [
    'RFC 8446 §4.6.1: a NewSessionTicket from a client',
    () =>
      new Pipe()
        .run()
        .server.receive(Level.OneRtt, message(4, [0, 0, 0, 9, 0, 0, 0, 9, 1, 1, 0, 1, 7, 0, 0]), testTime),
    unexpectedMessage,
  ],
  [
    'RFC 8446 §6.2: a message that is cut short',
    instead(11, original => [message(11, original.subarray(4, -1))]),
    decodeError,
  ],
]

/** Another chain in the place of the one that was shown, whose key has signed. */
function judge(chain: string, root: string, unixTime: number): undefined {
  const roots = root === 'ca' ? [caDer] : [scenario(root)]
  verifyChain(nodeBackend, roots).verify([scenario(chain)], 'host.example.test', unixTime)
}

test.each(rules)('%s', (_, act, code) => {
  expect(errorOf(act)).toBe(code)
})

describe('what a peer may do is no error, and gives it nothing', () => {
  test('RFC 8446 §4.2.10: early data with a PSK that is not the first is refused', () => {
    const earlyData = { cipherSuite: 0x1301, alpn: 'h3', serverName: undefined, transportParameters: serverParameters }
    const find = (identity: Uint8Array): Psk | undefined => (identity[0] === 2 ? { ...known, earlyData } : undefined)
    const accepted = (...identities: number[]): unknown => {
      const server = startServer(serverConfig({ psks: { find }, earlyData: { admit: () => true } }))
      server.receive(Level.Initial, helloWithPsks(identities), testTime)
      return drain(server).find(output => output.type === 'earlyData')
    }
    expect(accepted(2, 1)).toMatchObject({ accepted: true })
    expect(accepted(1, 2)).toMatchObject({ accepted: false })
  })

  test('RFC 8446 §4.6.1: a ticket of no lifetime is thrown away, and none is kept for longer than seven days', () => {
    const { client } = new Pipe().run()
    const offer = (lifetime: number[]): unknown[] => {
      const body = [...lifetime, 0, 0, 0, 9, ...vector(1, [1]), ...vector(2, [7]), 0, 0]
      client.receive(Level.OneRtt, message(4, body), testTime)
      return drain(client)
    }
    expect(offer([0, 0, 0, 0])).toEqual([])
    expect(offer([255, 255, 255, 255])).toMatchObject([{ type: 'ticket', lifetimeSeconds: 604_800 }])
  })
})

/** With early data, and the right binder for the PSK that is known, wherever it stands. */
function helloWithPsks(identities: readonly number[]): Uint8Array {
  const length = 33 * identities.length
  const entries = identities.map(name => [...vector(2, [name]), 0, 0, 0, 0])
  const psk: Extension = [41, [...vector(2, ...entries), ...u16(length), ...new Array(length).fill(32)]]
  const hello = clientHello({ extensions: [...Object.values(needed), [42, []], psk] })
  const truncated = nodeBackend.hash('sha256', hello.subarray(0, hello.length - length - 2))
  const binder = new EarlyStage(nodeBackend, 'sha256', known.secret).binder('external', truncated)
  for (let at = hello.length - length; at < hello.length; at += 33) hello.set(binder, at + 1)
  return hello
}
