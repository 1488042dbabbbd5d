// Rules of RFC 8446 for the peer, one by one: who breaks one hears the exact error of QUIC (RFC 9001 §4.8). Hellos, and
// what follows in a handshake without a twist; the others are in rules-more.test.ts.

import { expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { writeCertificate } from '../../src/tls13/messages/certificate.ts'
import { HELLO_RETRY_RANDOM } from '../../src/tls13/messages/server-hello.ts'
import { startClient, startServer } from '../../src/tls13/session.ts'
import { rsa, testTime } from '../support/certificates.ts'
import { clientHello, type Extension, type HelloParts, neededExtensions, u16, vector } from './hello-parts.ts'
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
  protocolViolation,
  unexpectedMessage,
  unsupportedExtension,
} from './quic-errors.ts'
import { clientConfig, drain, message, Pipe, replacing, serverConfig } from './support.ts'

const share = nodeBackend.keyExchange(0x1d).publicKey
const needed = neededExtensions(share)
const psk = (binder: number): Extension => [
  41,
  [...vector(2, vector(2, [1]), [0, 0, 0, 0]), ...vector(2, vector(1, new Array(binder).fill(0)))],
]

/** A server hears a ClientHello with some extensions changed (undefined: left out) and others behind them. */
function toServer(changes: Record<string, Extension | undefined>, ...more: Extension[]): () => unknown {
  const list = Object.values({ ...needed, ...changes }).filter(extension => extension !== undefined)
  return hello({ extensions: [...list, ...more] })
}

function hello(parts: Partial<HelloParts>): () => unknown {
  const bytes = clientHello({ extensions: Object.values(needed), ...parts })
  return () => startServer(serverConfig()).receive(Level.Initial, bytes, testTime)
}

const version = [0, 43, 0, 2, 3, 4]
const keyShare = [0, 51, ...vector(2, u16(0x1d), vector(2, [...share]))]

/** A client hears a ServerHello. */
function toClient(
  extensions: number[][],
  {
    random = new Array(32).fill(5) as readonly number[],
    session = [] as number[],
    suite = 0x1301,
    compression = 0,
  } = {},
): () => unknown {
  const block = vector(2, ...extensions)
  const bytes = message(2, [3, 3, ...random, ...vector(1, session), ...u16(suite), compression, ...block])
  return () => {
    const client = startClient(clientConfig(), testTime)
    drain(client)
    client.receive(Level.Initial, bytes, testTime)
  }
}

/** A message of the server's flight is replaced. */
function instead(type: number, ...messages: Uint8Array[]): () => unknown {
  return () => new Pipe().run(replacing(type, () => messages))
}

const extensionsOf = (...list: number[][]): Uint8Array => message(8, vector(2, ...list))
const alpn = [0, 16, 0, 5, 0, 3, 2, 0x68, 0x33]
const parameters = [0, 0x39, 0, 0]
const downgraded = [...new Array(24).fill(5), 0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1]
const retry = { random: [...HELLO_RETRY_RANDOM] }

const rules: [title: string, act: () => unknown, code: number][] = [
  // What a client sends.
  ['RFC 8446 §4.1.2: a ClientHello that breaks no rule', hello({}), none],
  ['RFC 8446 §4.1.2: compression methods other than null', hello({ compression: [1, 0] }), illegalParameter],
  ['RFC 8446 §4.1.1: no suite in common', hello({ suites: [0x1304] }), handshakeFailure],
  ['RFC 8446 §4.2: an extension twice in a ClientHello', toServer({}, needed['alpn'] as Extension), illegalParameter],
  ['RFC 8446 §4.2.1: a ClientHello without TLS 1.3', toServer({ versions: undefined }), protocolVersion],
  ['RFC 8446 §4.2.1: legacy_version is not looked at', hello({ version: 0x0300 }), none],
  [
    'RFC 8446 §4.2.1, §4.2.7: unknown versions and groups are passed over',
    toServer({
      versions: [43, vector(1, u16(0x7a7a), u16(0x0304))],
      groups: [10, vector(2, u16(0x7a7a), u16(0x1d))],
    }),
    none,
  ],
  [
    'RFC 8446 §4.2.8: two shares of a group',
    toServer({
      shares: [51, vector(2, u16(0x1d), vector(2, [...share]), u16(0x1d), vector(2, [...share]))],
    }),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8: a share of a group that is not offered',
    toServer({
      shares: [51, vector(2, u16(0x17), vector(2, new Array(65).fill(4)))],
    }),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8.2: a point in another form than uncompressed',
    toServer({
      groups: [10, vector(2, u16(0x17))],
      shares: [51, vector(2, u16(0x17), vector(2, [2, ...new Array(32).fill(1)]))],
    }),
    illegalParameter,
  ],
  ['RFC 8446 §4.2.9: a PSK without psk_key_exchange_modes', toServer({ modes: undefined }, psk(32)), missingExtension],
  ['RFC 8446 §4.2.10: early data without a PSK', toServer({}, [42, []]), missingExtension],
  ['RFC 8446 §4.2.11: pre_shared_key before another extension', toServer({}, psk(32), [0xabcd, []]), illegalParameter],
  ['RFC 8446 §4.2.11: a binder that is too short', toServer({}, psk(31)), decodeError],
  [
    'RFC 8446 §6.2: a message that is too long for its content',
    toServer({ versions: [43, [3, 3, 4, 0]] }),
    decodeError,
  ],
  ['RFC 8446 §9.2: neither a PSK nor signature_algorithms', toServer({ schemes: undefined }), missingExtension],
  ['RFC 8446 §9.2: groups without key_share', toServer({ shares: undefined }), missingExtension],
  ['RFC 8446 §9.2: key_share without groups', toServer({ groups: undefined }), missingExtension],
  ['RFC 8446 §9.3: unknown suites and extensions are ignored', toServer({}, [0xfe0d, [1, 2]], [0xabcd, []]), none],
  [
    'RFC 8446 §4: a first message that is no ClientHello',
    () => startServer(serverConfig()).receive(Level.Initial, message(2, []), testTime),
    unexpectedMessage,
  ],
  // What a server sends.
  ['RFC 8446 §4.1.3: a ServerHello that breaks no rule', toClient([version, keyShare]), none],
  [
    'RFC 8446 §4.1.3: a session id that was not sent',
    toClient([version, keyShare], { session: [1] }),
    illegalParameter,
  ],
  ['RFC 8446 §4.1.3: a suite that was not offered', toClient([version, keyShare], { suite: 0x1304 }), illegalParameter],
  ['RFC 8446 §4.1.3: a compression method', toClient([version, keyShare], { compression: 1 }), illegalParameter],
  ['RFC 8446 §4.1.3: the mark of a downgrade', toClient([keyShare], { random: downgraded }), illegalParameter],
  ['RFC 8446 §4.1.4: a HelloRetryRequest that changes nothing', toClient([version], retry), illegalParameter],
  [
    'RFC 8446 §4.1.4: a HelloRetryRequest for the group of the share',
    toClient([version, [0, 51, 0, 2, 0, 0x1d]], retry),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: a HelloRetryRequest for a group that is not offered',
    toClient([version, [0, 51, 0, 2, 0, 0x19]], retry),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.1.4: an extension of a HelloRetryRequest that was not offered',
    toClient([version, [0xab, 0xcd, 0, 0]], retry),
    unsupportedExtension,
  ],
  [
    'RFC 8446 §4.2: an extension of ServerHello that was not offered',
    toClient([version, keyShare, [0xab, 0xcd, 0, 0]]),
    unsupportedExtension,
  ],
  [
    'RFC 8446 §4.2: an offered extension that does not belong into ServerHello',
    toClient([version, keyShare, alpn]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.1: an older version chosen by supported_versions',
    toClient([[0, 43, 0, 2, 3, 3], keyShare]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.8: a share of another group in ServerHello',
    toClient([version, [0, 51, ...vector(2, u16(0x17), vector(2, [...share]))]]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2.11: a PSK that was not offered',
    toClient([version, keyShare, [0, 41, 0, 2, 0, 0]]),
    unsupportedExtension,
  ],
  [
    'RFC 8446 §7.4.2: a share that leads to zeros',
    toClient([version, [0, 51, ...vector(2, u16(0x1d), vector(2, new Array(32).fill(0)))]]),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.3.1: an extension of EncryptedExtensions that does not belong there',
    instead(8, extensionsOf(alpn, parameters, version)),
    illegalParameter,
  ],
  [
    'RFC 8446 §4.2: an extension of EncryptedExtensions that was not offered',
    instead(8, extensionsOf(alpn, parameters, [0xab, 0xcd, 0, 0])),
    unsupportedExtension,
  ],
  ['RFC 8446 §4.4.2.4: a server without a certificate', instead(11, writeCertificate([])), decodeError],
  [
    'RFC 8446 §4.4.2: a server certificate that is none',
    instead(11, writeCertificate([Uint8Array.of(1)])),
    badCertificate,
  ],
  [
    'RFC 8446 §4.4.3: a signature by a scheme that was not offered',
    instead(15, message(15, [2, 3, 0, 0])),
    illegalParameter,
  ],
  ['RFC 8446 §4.4.3: a signature by RSASSA-PKCS1-v1_5', instead(15, message(15, [4, 1, 0, 0])), illegalParameter],
  ['RFC 8446 §4.4.3: a signature of another key', instead(11, writeCertificate(rsa.chain)), decryptError],
  ['RFC 8446 §4.4.4: a Finished that does not verify', instead(20, message(20, new Uint8Array(32))), decryptError],
  ['RFC 8446 §4: messages of a server out of order', instead(8, message(20, new Uint8Array(32))), unexpectedMessage],
  ['RFC 8446 §4.6.3: a KeyUpdate in the handshake', instead(20, message(24, [0])), unexpectedMessage],
]

test.each(rules)('%s', (_, act, code) => {
  expect(errorOf(act)).toBe(code)
})

test('RFC 8446 §5.1: keys change at the end of a message: nothing of the old level may be left over', () => {
  const act = (): unknown => new Pipe().run(replacing(20, original => Uint8Array.of(...original, 4)))
  expect(errorOf(act)).toBe(protocolViolation)
})
