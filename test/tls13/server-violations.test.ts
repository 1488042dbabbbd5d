// What a server says to a client that breaks the rules: exact alerts; and what it must put up with.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { MAX_PSK_IDENTITIES } from '../../src/tls13/extensions.ts'
import { SERVER_MESSAGE_LIMIT } from '../../src/tls13/framing.ts'
import { startServer, type TlsServerConfig } from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { completeAsClient } from './by-hand.ts'
import {
  ascii,
  chromiumHello,
  clientHello,
  type Extension,
  type HelloParts,
  neededExtensions,
  u16,
  vector,
} from './hello-parts.ts'
import { drain, failure, message, Pipe, replacing, serverConfig } from './support.ts'

const exchange = nodeBackend.keyExchange(NamedGroup.X25519)
const needed = neededExtensions(exchange.publicKey)

function answer(hello: Uint8Array, config: Partial<TlsServerConfig> = {}): string {
  const server = startServer(serverConfig(config))
  return failure(() => server.receive(Level.Initial, hello, testTime))
}

/** With some extensions changed (undefined: left out) and others behind them. */
function withChanges(changes: Record<string, Extension | undefined>, ...more: Extension[]): Uint8Array {
  const extensions = Object.values({ ...needed, ...changes }).filter(extension => extension !== undefined)
  return clientHello({ extensions: [...extensions, ...more] })
}

const fails = (changes: Record<string, Extension | undefined>, ...more: Extension[]) =>
  answer(withChanges(changes, ...more))
const failsWith = (parts: Partial<HelloParts>) => answer(clientHello({ extensions: Object.values(needed), ...parts }))

const identity = (...bytes: number[]) => [...vector(2, bytes), 0, 0, 0, 0]
const binder = vector(1, new Array(32).fill(0))
const psks = (identities: number[][], binders: number[][]): Extension => [
  41,
  [...vector(2, ...identities), ...vector(2, ...binders)],
]

describe('ClientHello: what a server takes', () => {
  test('the least that is needed, and the handshake completes', () => {
    const server = startServer(serverConfig())
    completeAsClient(server, clientHello({ extensions: Object.values(needed) }), exchange)
    expect(server.isComplete).toBe(true)
  })

  test("Chromium's: 1.8 KiB, GREASE, ECH grease, a post-quantum share, any order, in pieces", () => {
    const hybrid = nodeBackend.keyExchange(NamedGroup.X25519MlKem768)
    const orders: ((list: Extension[]) => Extension[])[] = [
      list => list,
      list => list.toReversed(),
      list => [...list.slice(7), ...list.slice(0, 7)],
    ]
    for (const order of orders) {
      const hello = chromiumHello(hybrid.publicKey, exchange.publicKey, order)
      expect(hello.length).toBeGreaterThan(1700)
      const server = startServer(serverConfig())
      for (let at = 0; at < hello.length - 1; at += 500)
        server.receive(Level.Initial, hello.subarray(at, Math.min(at + 500, hello.length - 1)), testTime)
      expect(drain(server)).toEqual([])
      for (const [group, share] of [
        [NamedGroup.X25519MlKem768, hybrid],
        [NamedGroup.X25519, exchange],
      ] as const) {
        const groups = group === NamedGroup.X25519 ? { groups: [NamedGroup.P256, group] } : {}
        const rest = completeAsClient(startServer(serverConfig(groups)), hello, share)
        expect(rest.find(output => output.type === 'complete')).toMatchObject({ group, serverName: 'localhost' })
      }
    }
  })

  test('RFC 8446 §4.2.1: legacy_version says nothing', () => {
    expect(failsWith({ version: 0x0301 })).toBe('none')
  })

  test('unknown extensions, suites, groups and schemes', () => {
    expect(fails({}, [0xabcd, [1, 2, 3]])).toBe('none')
    expect(failsWith({ suites: [0x0a0a, 0x00ff, 0x1303] })).toBe('none')
    expect(fails({ schemes: [13, vector(2, u16(0xfefe), u16(0x0403))] })).toBe('none')
    // RFC 6066 §3: names of other kinds.
    expect(fails({ serverName: [0, vector(2, [7], vector(2, [1, 2]))] })).toBe('none')
  })
})

describe('ClientHello: exact alerts', () => {
  test('versions', () => {
    expect(fails({ versions: undefined })).toBe('ProtocolVersion')
    expect(fails({ versions: [43, vector(1, u16(0x0303))] })).toBe('ProtocolVersion')
    expect(fails({ versions: [43, vector(1)] })).toBe('DecodeError')
    expect(fails({ versions: [43, vector(1, [3])] })).toBe('DecodeError')
    const bare = [3, 3, ...new Array(32).fill(1), 0, 0, 2, 0x13, 1, 1, 0]
    expect(answer(message(1, bare))).toBe('ProtocolVersion')
  })

  test('RFC 9001 §8.4: legacy_session_id is PROTOCOL_VIOLATION', () => {
    expect(failsWith({ session: [1] })).toBe('transport 0xa')
    expect(failsWith({ session: new Array(33).fill(1) })).toBe('DecodeError')
  })

  test('legacy_compression_methods', () => {
    expect(failsWith({ compression: [1] })).toBe('IllegalParameter')
    expect(failsWith({ compression: [0, 1] })).toBe('IllegalParameter')
    expect(failsWith({ compression: [] })).toBe('DecodeError')
  })

  test('suites', () => {
    expect(failsWith({ suites: [] })).toBe('DecodeError')
    expect(failsWith({ suites: [0x1304] })).toBe('HandshakeFailure')
  })

  test('RFC 8446 §9.2, RFC 9001 §8: what must be there', () => {
    expect(fails({ alpn: undefined })).toBe('NoApplicationProtocol')
    expect(fails({ alpn: [16, vector(2, vector(1, ascii('h2')))] })).toBe('NoApplicationProtocol')
    for (const name of ['groups', 'schemes', 'shares', 'parameters'])
      expect(fails({ [name]: undefined })).toBe('MissingExtension')
    for (const name of ['serverName', 'modes']) expect(fails({ [name]: undefined })).toBe('none')
  })

  test('RFC 8446 §4.2: an extension twice, one of unknown type too', () => {
    expect(fails({}, needed['alpn'] as Extension)).toBe('IllegalParameter')
    expect(fails({}, [0xabcd, []], [0xabcd, []])).toBe('IllegalParameter')
  })

  test('names', () => {
    const named = (...list: number[][]): Record<string, Extension> => ({ serverName: [0, vector(2, ...list)] })
    const host = (text: string) => [0, ...vector(2, ascii(text))]
    expect(fails(named())).toBe('DecodeError')
    expect(fails(named(host('')))).toBe('DecodeError')
    expect(fails(named(host('a'), host('b')))).toBe('IllegalParameter')
    expect(fails(named(host('a b')))).toBe('IllegalParameter')
    expect(fails(named(host('a\0b')))).toBe('IllegalParameter')
    expect(fails(named(host('b\u00fccher')))).toBe('IllegalParameter')
    expect(fails(named(host('x'.repeat(256))))).toBe('IllegalParameter')
  })

  test('protocols (RFC 7301 §3.1)', () => {
    expect(fails({ alpn: [16, vector(2)] })).toBe('DecodeError')
    expect(fails({ alpn: [16, vector(2, vector(1))] })).toBe('DecodeError')
    expect(fails({ alpn: [16, [...vector(2, vector(1, ascii('h3'))), 0]] })).toBe('DecodeError')
  })

  test('groups and key shares (RFC 8446 §4.2.8)', () => {
    const entry = (group: number, key: readonly number[]) => [...u16(group), ...vector(2, key)]
    const good = entry(0x1d, [...exchange.publicKey])
    const shares = (...list: number[][]): Record<string, Extension> => ({ shares: [51, vector(2, ...list)] })
    expect(fails(shares(good, good))).toBe('IllegalParameter')
    expect(fails(shares(good, entry(0x17, [1])))).toBe('IllegalParameter')
    expect(fails(shares(entry(0x1d, [])))).toBe('DecodeError')
    expect(fails(shares(entry(0x1d, new Array(31).fill(9))))).toBe('IllegalParameter')
    expect(fails(shares(entry(0x1d, new Array(32).fill(0))))).toBe('IllegalParameter')
    // None at all: a HelloRetryRequest.
    expect(fails(shares())).toBe('none')
    expect(fails({ groups: [10, vector(2, u16(0x19))], ...shares() })).toBe('HandshakeFailure')
    const p256 = { groups: [10, vector(2, u16(0x17))] as Extension }
    expect(fails({ ...p256, ...shares(entry(0x17, [4, ...new Array(64).fill(1)])) })).toBe('IllegalParameter')
    expect(fails({ ...p256, ...shares(entry(0x17, [2, ...new Array(32).fill(1)])) })).toBe('IllegalParameter')
  })

  test('signature schemes', () => {
    expect(fails({ schemes: [13, vector(2, u16(0x0807))] })).toBe('HandshakeFailure')
    expect(fails({ schemes: [13, vector(2)] })).toBe('DecodeError')
  })

  test('PSKs (RFC 8446 §4.2.11)', () => {
    const one = psks([identity(1)], [binder])
    expect(fails({}, one)).toBe('none')
    expect(fails({}, one, [0xabcd, []])).toBe('IllegalParameter')
    expect(fails({ modes: undefined }, one)).toBe('MissingExtension')
    expect(fails({ schemes: undefined }, one)).toBe('DecryptError')
    expect(fails({}, psks([identity(1), identity(2)], [binder]))).toBe('IllegalParameter')
    expect(fails({}, psks([], []))).toBe('DecodeError')
    expect(fails({}, psks([identity()], [binder]))).toBe('DecodeError')
    expect(fails({}, psks([identity(1)], [vector(1, new Array(31).fill(0))]))).toBe('DecodeError')
    expect(fails({}, psks([[0, 1, 7, 0, 0]], [binder]))).toBe('DecodeError')
    expect(fails({ modes: [45, vector(1)] }, one)).toBe('DecodeError')
  })

  test('a PSK is found, but its binder has another length', () => {
    const psk = {
      kind: 'external',
      secret: new Uint8Array(32),
      hash: 'sha256',
      earlyData: undefined,
      expires: Number.POSITIVE_INFINITY,
      appState: new Uint8Array(0),
    } as const
    const hello = withChanges({}, psks([identity(1)], [vector(1, new Array(48).fill(0))]))
    expect(answer(hello, { psks: { find: () => psk } })).toBe('DecryptError')
  })

  test('only so many identities are looked up', () => {
    let asked = 0
    const count = 100
    const many = psks(
      Array.from({ length: count }, (_, i) => identity(i)),
      new Array(count).fill(binder),
    )
    const find = () => {
      asked++
      return undefined
    }
    expect(answer(withChanges({}, many), { psks: { find } })).toBe('none')
    expect(asked).toBe(MAX_PSK_IDENTITIES)
  })

  test('early_data (RFC 8446 §4.2.10)', () => {
    expect(fails({}, [42, []])).toBe('MissingExtension')
    expect(fails({}, [42, [1]])).toBe('DecodeError')
    expect(fails({}, [42, []], psks([identity(1)], [binder]))).toBe('none')
  })

  test('form: lengths that do not fit', () => {
    const good = clientHello({ extensions: Object.values(needed) })
    expect(answer(message(1, []))).toBe('DecodeError')
    expect(answer(message(1, [...good.subarray(4), 0]))).toBe('DecodeError')
    expect(answer(message(1, [...good.subarray(4, -1)]))).toBe('DecodeError')
  })
})

describe('order of messages (RFC 8446 Appendix A.2)', () => {
  test('a ClientHello first, and nothing else', () => {
    for (const type of [0, 2, 5, 8, 11, 20, 24]) expect(answer(message(type, []))).toBe('UnexpectedMessage')
  })

  test('RFC 9001 §8.3: no EndOfEarlyData, no certificate: the Finished and nothing else', () => {
    for (const type of [1, 5, 11, 15, 24]) {
      expect(failure(() => new Pipe().run(replacing(20, original => [message(type, []), original])))).toBe(
        'UnexpectedMessage',
      )
    }
  })

  test('Finished: wrong, or of another length', () => {
    const finished = (replace: (original: Uint8Array) => Uint8Array) =>
      failure(() => new Pipe().run((from, bytes) => [from === 'client' && bytes[0] === 20 ? replace(bytes) : bytes]))
    expect(finished(() => message(20, new Uint8Array(32)))).toBe('DecryptError')
    expect(finished(() => message(20, new Uint8Array(31)))).toBe('DecodeError')
    // RFC 9001 §4.1.3: more behind it.
    expect(finished(original => Uint8Array.from([...original, 0]))).toBe('transport 0xa')
  })

  test('RFC 9001 §4.1.3, §8.3: data of another level, or behind the ClientHello', () => {
    const hello = clientHello({ extensions: Object.values(needed) })
    for (const level of [Level.ZeroRtt, Level.Handshake, Level.OneRtt]) {
      const server = startServer(serverConfig())
      expect(failure(() => server.receive(level, hello, testTime))).toBe('transport 0xa')
    }
    expect(answer(Uint8Array.from([...hello, 1]))).toBe('transport 0xa')
    const server = startServer(serverConfig())
    server.receive(Level.Initial, hello, testTime)
    expect(failure(() => server.receive(Level.Initial, hello, testTime))).toBe('transport 0xa')
    // Nothing is nothing.
    expect(failure(() => server.receive(Level.Initial, new Uint8Array(0), testTime))).toBe('none')
  })

  test('RFC 9000 §7.5: a message longer than 16 KiB', () => {
    const header = (length: number) => Uint8Array.of(1, length >>> 16, length >>> 8, length)
    expect(answer(header(SERVER_MESSAGE_LIMIT - 4))).toBe('none')
    expect(answer(header(SERVER_MESSAGE_LIMIT - 3))).toBe('transport 0xd')
    const long = (length: number) => fails({}, [0xabcd, new Array(length).fill(0)])
    expect(long(SERVER_MESSAGE_LIMIT - 300)).toBe('none')
    expect(long(SERVER_MESSAGE_LIMIT)).toBe('transport 0xd')
  })
})
