import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 } from '../../src/crypto/cipher-suite.ts'
import { Level } from '../../src/packet/level.ts'
import { MAX_COOKIE_LENGTH } from '../../src/tls13/client-offer.ts'
import { readClientHello } from '../../src/tls13/messages/client-hello.ts'
import { Message } from '../../src/tls13/messages/handshake.ts'
import { writeHelloRetryRequest } from '../../src/tls13/messages/server-hello.ts'
import type { OfferedPsk, Psk } from '../../src/tls13/ports.ts'
import { startClient } from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { clientConfig, drain, failure, type Hand, type Output, Pipe, psksBy, replacing } from './support.ts'

const both = [NamedGroup.X25519, NamedGroup.P256]
const client = { groups: both }
const server = { groups: [NamedGroup.P256] }

describe('HelloRetryRequest (RFC 8446 §4.1.4)', () => {
  test('for a group without a share', () => {
    const pipe = new Pipe(client, server).run()
    expect(pipe.messages).toEqual(['c1', 's2', 'c1', 's2', 's8', 's11', 's15', 's20', 'c20'])
    expect(pipe.complete('client').group).toBe(NamedGroup.P256)
    expect(pipe.complete('server').group).toBe(NamedGroup.P256)
    expect(pipe.outputs('server', 'peerParameters')).toHaveLength(1)
  })

  test('none when there is a share of a group that is not our first', () => {
    const pipe = new Pipe(client, { groups: [NamedGroup.P256, NamedGroup.X25519] }).run()
    expect(pipe.messages[2]).toBe('s8')
    expect(pipe.complete('client').group).toBe(NamedGroup.X25519)
  })

  for (const suite of [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384]) {
    test(`${suite.name}: with a PSK the second binder covers both hellos, early data is off`, () => {
      const { pipe } = resumeWithRetry({ hash: suite.hash }, suite.id)
      expect(pipe.complete('client').isResumed).toBe(true)
      expect(pipe.outputs('client', 'earlyData')).toEqual([{ type: 'earlyData', accepted: false }])
      expect(pipe.outputs('server', 'earlyData')).toEqual([{ type: 'earlyData', accepted: false, refusal: 'retry' }])
      const [first, second] = hellos(pipe)
      expect([first?.hasEarlyData, second?.hasEarlyData]).toEqual([true, false])
    })
  }

  test('RFC 8446 §4.1.2: the age of a ticket is taken anew', () => {
    const { pipe } = resumeWithRetry({ kind: 'resumption', obfuscatedAge: 0xffffffff }, 0x1301, 25)
    expect(hellos(pipe).map(hello => hello.psks?.identities[0]?.obfuscatedAge)).toEqual([0xffffffff, 24])
  })

  test('a PSK of another hash is not offered again', () => {
    const { pipe } = resumeWithRetry({ hash: 'sha384', identity: Uint8Array.of(9) }, 0x1302)
    expect(hellos(pipe).map(hello => hello.psks?.identities.length)).toEqual([1, undefined])
    expect(pipe.complete('client').isResumed).toBe(false)
  })
})

function hellos(pipe: Pipe) {
  const sent = pipe.outputs('client', 'send').filter(output => output.level === Level.Initial)
  return sent.map(output => readClientHello(new Message(output.bytes)))
}

/** A resumption that needs a HelloRetryRequest; the client gets it `delay` ms later. */
function resumeWithRetry(changes: Partial<OfferedPsk>, cipherSuite: number, delay = 0) {
  const earlyData = { cipherSuite, alpn: 'h3', serverName: undefined, transportParameters: new Uint8Array(0) }
  const offered: OfferedPsk = {
    kind: 'imported',
    identity: Uint8Array.of(1),
    secret: nodeBackend.random(32),
    hash: 'sha256',
    obfuscatedAge: 0,
    earlyData,
    ...changes,
  }
  const { kind, secret, hash } = offered
  const psk: Psk = { kind, secret, hash, earlyData, expires: Number.POSITIVE_INFINITY, appState: new Uint8Array(0) }
  const admit = () => {
    throw new Error('asked about early data after a HelloRetryRequest')
  }
  const psks = psksBy({ [toHex(Uint8Array.of(1))]: psk })
  const pipe = new Pipe({ ...client, psk: offered }, { ...server, psks, earlyData: { admit } })
  pipe.time += delay
  return { pipe: pipe.run() }
}

describe('the client checks the request', () => {
  const request = writeHelloRetryRequest(0x1301, NamedGroup.P256)
  const answer = (bytes: Uint8Array) => {
    const session = startClient(clientConfig(client), testTime)
    const [hello] = drain(session) as [Output<'send'>]
    session.receive(Level.Initial, bytes, testTime)
    const [second] = drain(session) as [Output<'send'>]
    return { session, first: hello.bytes, second: second.bytes }
  }
  /** With other extensions behind supported_versions. */
  const withExtensions = (...extensions: number[]) => {
    const head = [...request.subarray(0, 44), 0, 0, ...[0, 43, 0, 2, 3, 4], ...extensions]
    head[43] = 0
    const block = head.slice(0, 42)
    const body = [...[0, 43, 0, 2, 3, 4], ...extensions]
    const whole = [...block, body.length >>> 8, body.length & 255, ...body]
    whole[2] = (whole.length - 4) >>> 8
    whole[3] = (whole.length - 4) & 255
    return Uint8Array.from(whole)
  }

  test('and does as it is told', () => {
    const { second } = answer(request)
    expect(readClientHello(new Message(second)).keyShares).toMatchObject([{ group: NamedGroup.P256 }])
  })

  test('a cookie is sent back, and a cookie alone keeps the share', () => {
    const { first, second } = answer(withExtensions(0, 44, 0, 5, 0, 3, 7, 8, 9))
    const [before, after] = [first, second].map(bytes => readClientHello(new Message(bytes)))
    expect(after?.extensions.get(44)).toEqual(Uint8Array.of(0, 3, 7, 8, 9))
    expect(after?.keyShares).toEqual(before?.keyShares)
    expect(after?.random).toEqual(before?.random)
  })

  test('exact alerts', () => {
    const fails = (bytes: Uint8Array) => failure(() => answer(bytes))
    // Nothing would change.
    expect(fails(withExtensions())).toBe('IllegalParameter')
    // A group we already sent a share of; one we never offered.
    expect(fails(writeHelloRetryRequest(0x1301, NamedGroup.X25519))).toBe('IllegalParameter')
    expect(fails(writeHelloRetryRequest(0x1301, 0x0018))).toBe('IllegalParameter')
    // A suite that was not offered.
    expect(fails(writeHelloRetryRequest(0x1304, NamedGroup.P256))).toBe('IllegalParameter')
    // Extensions that were not offered, or belong elsewhere, or are malformed.
    expect(fails(withExtensions(0xfa, 0xfa, 0, 0))).toBe('UnsupportedExtension')
    expect(fails(withExtensions(0, 16, 0, 0))).toBe('IllegalParameter')
    expect(fails(withExtensions(0, 44, 0, 2, 0, 0))).toBe('DecodeError')
    expect(fails(withExtensions(0, 51, 0, 3, 0, 0x17, 0))).toBe('DecodeError')
    const length = MAX_COOKIE_LENGTH + 1
    const cookie = [
      0,
      44,
      (length + 2) >>> 8,
      (length + 2) & 255,
      length >>> 8,
      length & 255,
      ...new Uint8Array(length),
    ]
    expect(fails(withExtensions(...cookie))).toBe('IllegalParameter')
  })

  test('a second request is unexpected_message', () => {
    const { session } = answer(request)
    expect(failure(() => session.receive(Level.Initial, request, testTime))).toBe('UnexpectedMessage')
  })

  test('the ServerHello keeps suite and group of the request', () => {
    const fails = (hand: Hand) => failure(() => new Pipe(client, server).run(hand))
    let count = 0
    const second = (change: (message: Uint8Array) => void) => {
      count = 0
      return replacing(2, message => {
        if (++count === 2) change(message)
        return message
      })
    }
    const setSuite = (message: Uint8Array) => {
      message[40] = 0x02
    }
    expect(fails(second(setSuite))).toBe('IllegalParameter')
    const setGroup = (message: Uint8Array) => {
      message[Buffer.from(message).indexOf(Uint8Array.of(0, 0x17, 0, 65)) + 1] = 0x1d
    }
    expect(fails(second(setGroup))).toBe('IllegalParameter')
  })
})

describe('the server checks the second ClientHello (RFC 8446 §4.1.2)', () => {
  const fails = (change: (hello: Uint8Array, first: Uint8Array) => Uint8Array | undefined) => {
    let first: Uint8Array | undefined
    const hand = replacing(1, hello => {
      if (first === undefined) {
        first = hello
        return hello
      }
      return change(hello, first) ?? hello
    })
    return failure(() => new Pipe(client, server).run(hand))
  }
  const flip = (at: (hello: Uint8Array) => number) => (hello: Uint8Array) => {
    const index = at(hello)
    hello[index] = (hello[index] as number) ^ 1
    return hello
  }
  const find = (hello: Uint8Array, ...bytes: number[]) => Buffer.from(hello).indexOf(Uint8Array.from(bytes))

  test('the first one again has no share of the group', () => {
    expect(fails((_second, first) => first)).toBe('IllegalParameter')
  })

  test('random, suites, and extensions stay as they are', () => {
    expect(fails(flip(() => 20))).toBe('IllegalParameter')
    expect(fails(flip(() => 42 + nodeBackend.cipherSuites.length))).toBe('IllegalParameter')
    // server_name, ALPN, transport parameters.
    expect(fails(flip(hello => find(hello, 0x6c, 0x6f, 0x63, 0x61)))).toBe('IllegalParameter')
    expect(fails(flip(hello => find(hello, 0, 0x39, 0, 3) + 5))).toBe('IllegalParameter')
  })

  test('early_data must be gone', () => {
    const withEarlyData = (hello: Uint8Array) => {
      const longer = Uint8Array.from([
        ...hello,
        0,
        42,
        0,
        0,
        0,
        41,
        0,
        44,
        0,
        7,
        0,
        1,
        1,
        0,
        0,
        0,
        0,
        0,
        33,
        32,
        ...new Uint8Array(32),
      ])
      const added = longer.length - hello.length
      const extensions = 43 + 2 * nodeBackend.cipherSuites.length
      for (const at of [2, extensions]) {
        const length = ((longer[at] as number) << 8) + (longer[at + 1] as number) + added
        longer[at] = length >>> 8
        longer[at + 1] = length
      }
      return longer
    }
    expect(fails(withEarlyData)).toBe('IllegalParameter')
  })
})
