// Reserved values (RFC 8701): ours, and what becomes of them when somebody chooses one.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { ExtensionType, readBody, readOfferedVersions, TLS_1_3 } from '../../src/tls13/extensions.ts'
import { type ClientHello, readClientHello } from '../../src/tls13/messages/client-hello.ts'
import { Message } from '../../src/tls13/messages/handshake.ts'
import { HELLO_RETRY_RANDOM } from '../../src/tls13/messages/server-hello.ts'
import { startClient } from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { u16, vector } from './hello-parts.ts'
import { clientConfig, drain, failure, message, type Output, Pipe, replacing, serverParameters } from './support.ts'

const isReserved = (value: number): boolean => (value & 0x0f0f) === 0x0a0a && value >>> 8 === (value & 0xff)

function helloOf(bytes: Uint8Array): ClientHello {
  return readClientHello(new Message(bytes))
}

function firstHello(grease: boolean | undefined): ClientHello {
  const [sent] = drain(startClient(clientConfig({ grease }), testTime)) as [Output<'send'>]
  return helloOf(sent.bytes)
}

const versions = (hello: ClientHello): number[] =>
  readBody(hello.extensions.get(ExtensionType.SupportedVersions) as Uint8Array, readOfferedVersions)

describe('RFC 8701 §3.1: what a client offers', () => {
  test('a reserved suite, group, version and two extensions, each time others', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const hello = firstHello(undefined)
      const { cipherSuites, groups = [], extensions } = hello
      for (const list of [cipherSuites, groups, versions(hello)]) {
        expect(list.filter(isReserved)).toEqual([list[0]])
        seen.add(list[0] as number)
      }
      expect([...extensions.keys()].filter(isReserved)).toHaveLength(2)
      expect(hello.keyShares?.map(share => share.group)).toEqual([NamedGroup.X25519])
    }
    expect(seen.size).toBeGreaterThan(8)
  })

  test('nothing of it when it is turned off', () => {
    const hello = firstHello(false)
    const { cipherSuites, groups = [], extensions } = hello
    expect([...cipherSuites, ...groups, ...versions(hello), ...extensions.keys()].filter(isReserved)).toEqual([])
    expect(versions(hello)).toEqual([TLS_1_3])
  })

  test('RFC 8446 §4.1.2: the same values after a HelloRetryRequest', () => {
    const pipe = new Pipe(
      { grease: true, groups: [NamedGroup.P256, NamedGroup.X25519] },
      { groups: [NamedGroup.X25519] },
    ).run()
    const hellos = pipe.outputs('client', 'send').filter(({ bytes }) => bytes[0] === 1)
    const [first, second] = hellos.map(({ bytes }) => helloOf(bytes)) as [ClientHello, ClientHello]
    expect(second.cipherSuites).toEqual(first.cipherSuites)
    expect([...second.extensions.keys()]).toEqual([...first.extensions.keys()])
    expect(pipe.server.isComplete).toBe(true)
  })
})

describe('RFC 8701 §3.1: a server that chooses a reserved value', () => {
  const hello = (random: Uint8Array, suite: number, ...extensions: number[][]): Uint8Array =>
    message(2, [3, 3, ...random, 0, ...u16(suite), 0, ...vector(2, ...extensions)])
  const share = nodeBackend.keyExchange(NamedGroup.X25519).publicKey
  const version = [0, 43, 0, 2, 3, 4]
  const keyShare = [0, 51, ...vector(2, u16(NamedGroup.X25519), vector(2, [...share]))]

  function answer(make: (offer: ClientHello) => Uint8Array): string {
    const client = startClient(clientConfig({ grease: true }), testTime)
    const [sent] = drain(client) as [Output<'send'>]
    return failure(() => client.receive(Level.Initial, make(helloOf(sent.bytes)), testTime))
  }

  test('as suite, version or group: illegal_parameter', () => {
    const random = new Uint8Array(32)
    expect(answer(() => hello(random, 0x1301, version, keyShare))).toBe('none')
    expect(answer(offer => hello(random, offer.cipherSuites[0] as number, version, keyShare))).toBe('IllegalParameter')
    expect(answer(offer => hello(random, 0x1301, [0, 43, 0, 2, ...u16(versions(offer)[0] as number)], keyShare))).toBe(
      'IllegalParameter',
    )
    const groupOf = (offer: ClientHello): number[] => u16(offer.groups?.[0] as number)
    expect(
      answer(offer => hello(random, 0x1301, version, [0, 51, ...vector(2, groupOf(offer), vector(2, [...share]))])),
    ).toBe('IllegalParameter')
    expect(answer(offer => hello(HELLO_RETRY_RANDOM, 0x1301, version, [0, 51, 0, 2, ...groupOf(offer)]))).toBe(
      'IllegalParameter',
    )
  })

  test('as extension of ServerHello or EncryptedExtensions: unsupported_extension', () => {
    const extension = (offer: ClientHello): number => [...offer.extensions.keys()].find(isReserved) as number
    const withReserved = (offer: ClientHello): Uint8Array =>
      hello(new Uint8Array(32), 0x1301, version, keyShare, [...u16(extension(offer)), 0, 0])
    expect(answer(withReserved)).toBe('UnsupportedExtension')
    const pipe = new Pipe({ grease: true })
    let offer: ClientHello | undefined
    const hand = replacing(8, () => {
      const extensions = [0, 16, 0, 5, 0, 3, 2, 0x68, 0x33, 0, 0x39, ...vector(2, [...serverParameters])]
      return message(8, vector(2, extensions, [...u16(extension(offer as ClientHello)), 0, 0]))
    })
    const run = (): unknown =>
      pipe.run((from, bytes, level) => {
        if (bytes[0] === 1) offer = helloOf(bytes)
        return hand(from, bytes, level)
      })
    expect(failure(run)).toBe('UnsupportedExtension')
  })
})

describe('protocols by server name', () => {
  test('a server offers a client what its name may have, in that order', () => {
    const both = { alpn: ['h3', 'test'] }
    const run = (list: string[]): string =>
      new Pipe(both, { ...both, protocols: () => list }).run().complete('client').alpn
    expect(run(['test', 'h3'])).toBe('test')
    expect(run(['h3'])).toBe('h3')
    const byName = {
      ...both,
      protocols: ({ serverName }: { serverName: string | undefined }) => (serverName === 'localhost' ? ['test'] : []),
    }
    expect(new Pipe(both, byName).run().complete('server').alpn).toBe('test')
    expect(failure(() => run([]))).toBe('NoApplicationProtocol')
    expect(failure(() => run(['other']))).toBe('NoApplicationProtocol')
  })
})
