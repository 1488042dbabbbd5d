import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../../src/crypto/cipher-suite.ts'
import { Level } from '../../src/packet/level.ts'
import { insecureVerifier } from '../../src/tls13/certificate-policy.ts'
import { startClient, startServer } from '../../src/tls13/session.ts'
import { ed25519, p256, rsa } from '../support/certificates.ts'
import {
  certified,
  clientConfig,
  clientParameters,
  drain,
  failure,
  Pipe,
  p384,
  serverConfig,
  serverParameters,
} from './support.ts'

const suites = [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]
const groups = [NamedGroup.X25519, NamedGroup.P256]
const keys = { p256: certified(p256), p384: p384(), rsa: certified(rsa), ed25519: certified(ed25519) }

describe('a handshake for every suite, group and certificate', () => {
  for (const suite of suites)
    for (const group of groups)
      for (const [name, key] of Object.entries(keys)) {
        test(`${suite.name}, group ${group}, ${name}`, () => {
          const pipe = new Pipe(
            { cipherSuites: [suite], groups: [group], ...(name === 'p384' ? { verifier: insecureVerifier } : {}) },
            { certificates: { select: () => key } },
          ).run()
          for (const side of ['client', 'server'] as const) {
            expect(pipe.complete(side)).toMatchObject({ alpn: 'h3', suite, group, isResumed: false, psk: undefined })
          }
          expect(pipe.complete('client').certificates).toEqual(key.chain)
          expectSameSecrets(pipe)
        })
      }
})

/** What one side writes with, the other reads with. */
function expectSameSecrets(pipe: Pipe): void {
  for (const [one, other] of [
    ['client', 'server'],
    ['server', 'client'],
  ] as const) {
    const written = pipe.outputs(one, 'secret').filter(output => output.direction === 'write')
    const read = pipe.outputs(other, 'secret').filter(output => output.direction === 'read')
    const byLevel = (list: typeof read) => list.map(({ level, suite, secret }) => ({ level, suite, secret }))
    expect(written.length).toBeGreaterThanOrEqual(2)
    expect(byLevel(read)).toEqual(byLevel(written))
  }
}

describe('outputs', () => {
  test('RFC 9001 §4.1.4: messages and keys in the order of Figure 5', () => {
    const pipe = new Pipe().run()
    const brief = (outputs: typeof pipe.clientOutputs) =>
      outputs.map(output => {
        if (output.type === 'send') return `send ${output.level} ${output.bytes[0]}`
        return output.type === 'secret' ? `${output.direction} ${output.level}` : output.type
      })
    expect(brief(pipe.clientOutputs)).toEqual([
      'send 0 1',
      'read 2',
      'write 2',
      'protocol',
      'peerParameters',
      'send 2 20',
      'write 3',
      'read 3',
      'complete',
    ])
    expect(brief(pipe.serverOutputs)).toEqual([
      'peerParameters',
      'protocol',
      'send 0 2',
      'write 2',
      'read 2',
      'send 2 8',
      'send 2 11',
      'send 2 15',
      'send 2 20',
      'write 3',
      'read 3',
      'complete',
    ])
  })

  test('RFC 9001 §8.2: transport parameters travel both ways', () => {
    const pipe = new Pipe().run()
    expect(pipe.outputs('server', 'peerParameters')[0]?.bytes).toEqual(clientParameters)
    expect(pipe.outputs('client', 'peerParameters')[0]?.bytes).toEqual(serverParameters)
  })

  test('isComplete turns true with the Finished of the peer', () => {
    const pipe = new Pipe()
    expect(pipe.client.isComplete || pipe.server.isComplete).toBe(false)
    pipe.run()
    expect(pipe.client.isComplete && pipe.server.isComplete).toBe(true)
  })

  test('RFC 8446 §7.5: both sides export the same keys, and none before the end', () => {
    const pipe = new Pipe()
    const ask = (session: typeof pipe.client) => session.exportKeyingMaterial('EXPORTER test', Uint8Array.of(9), 40)
    expect(() => ask(pipe.client)).toThrow(TypeError)
    expect(() => ask(pipe.server)).toThrow(TypeError)
    pipe.run()
    expect(ask(pipe.client)).toEqual(ask(pipe.server))
    expect(ask(pipe.client)).toHaveLength(40)
  })

  test('key log: the labels of NSS with the random of the ClientHello', () => {
    const lines: string[] = []
    const log = (side: string) => (label: string, random: Uint8Array, secret: Uint8Array) => {
      lines.push(`${side} ${label} ${random.length} ${secret.length} ${Buffer.from(random).toString('hex')}`)
    }
    const pipe = new Pipe({ keyLog: log('client') }, { keyLog: log('server') }).run()
    const hello = pipe.outputs('client', 'send')[0]?.bytes as Uint8Array
    const random = Buffer.from(hello.subarray(6, 38)).toString('hex')
    for (const side of ['client', 'server']) {
      expect(lines.filter(line => line.startsWith(side))).toEqual(
        [
          'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
          'SERVER_HANDSHAKE_TRAFFIC_SECRET',
          'CLIENT_TRAFFIC_SECRET_0',
          'SERVER_TRAFFIC_SECRET_0',
          'EXPORTER_SECRET',
        ].map(label => `${side} ${label} 32 32 ${random}`),
      )
    }
  })
})

describe('negotiation', () => {
  test('the server prefers its own suites, protocols and groups', () => {
    const pipe = new Pipe(
      { alpn: ['hq-interop', 'h3'], cipherSuites: suites, groups: [NamedGroup.P256, NamedGroup.X25519] },
      { alpn: ['h3', 'hq-interop'], cipherSuites: [TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256] },
    ).run()
    const { alpn, suite, group } = pipe.complete('client')
    expect([alpn, suite.name, group]).toEqual(['h3', 'TLS_CHACHA20_POLY1305_SHA256', NamedGroup.P256])
  })

  test('RFC 9001 §8.1: no protocol in common', () => {
    expect(failure(() => new Pipe({ alpn: ['a'] }, { alpn: ['b'] }).run())).toBe('NoApplicationProtocol')
  })

  test('no suite or group in common', () => {
    const [aes, aes256] = suites as [typeof TLS_AES_128_GCM_SHA256, typeof TLS_AES_256_GCM_SHA384]
    expect(failure(() => new Pipe({ cipherSuites: [aes] }, { cipherSuites: [aes256] }).run())).toBe('HandshakeFailure')
    const x25519 = { groups: [NamedGroup.X25519] }
    expect(failure(() => new Pipe(x25519, { groups: [NamedGroup.P256] }).run())).toBe('HandshakeFailure')
  })

  test('no certificate for the client, or none it could verify', () => {
    expect(failure(() => new Pipe({}, { certificates: { select: () => undefined } }).run())).toBe('HandshakeFailure')
    const backend = { ...nodeBackend, signatureSchemes: keys.ed25519.key.schemes }
    expect(failure(() => new Pipe({ backend }).run())).toBe('HandshakeFailure')
  })

  test('RFC 6066 §3: the server name reaches the server in lower case without its last dot, IP literals do not', () => {
    for (const [serverName, seen] of [
      ['LocalHost', 'localhost'],
      ['localhost.', 'localhost'],
      ['127.0.0.1', undefined],
      ['::1', undefined],
      ['', undefined],
    ] as const) {
      const names: (string | undefined)[] = []
      const certificates = {
        select: (hello: { serverName: string | undefined }) => {
          names.push(hello.serverName)
          return keys.p256
        },
      }
      const pipe = new Pipe({ serverName, verifier: insecureVerifier }, { certificates }).run()
      expect(names).toEqual([seen])
      expect(pipe.complete('server').serverName).toBe(seen)
    }
  })

  test('the verifier is asked with name and time, and its alert ends the handshake', () => {
    expect(failure(() => new Pipe({ serverName: 'elsewhere.test' }).run())).toBe('BadCertificate')
    const pipe = new Pipe()
    pipe.time = Date.UTC(2200, 0, 1)
    expect(failure(() => pipe.run())).toBe('CertificateExpired')
    expect(failure(() => new Pipe({}, { certificates: { select: () => keys.p384 } }).run())).toBe('UnknownCa')
  })
})

describe("the caller's faults", () => {
  test('ALPN', () => {
    expect(() => startServer(serverConfig({ alpn: [] }))).toThrow(TypeError)
    expect(() => startClient(clientConfig({ alpn: [] }), 0)).toThrow(TypeError)
    for (const name of ['', 'x'.repeat(256), 'h\u0100']) {
      expect(() => startClient(clientConfig({ alpn: [name] }), 0)).toThrow(RangeError)
    }
  })

  test('names, suites and groups', () => {
    expect(() => startClient(clientConfig({ serverName: 'bücher.example' }), 0)).toThrow(RangeError)
    expect(() => startClient(clientConfig({ groups: [] }), 0)).toThrow(TypeError)
    expect(() => startClient(clientConfig({ cipherSuites: [] }), 0)).toThrow(TypeError)
  })
})

describe('framing', () => {
  test('messages may come byte by byte', () => {
    const pipe = new Pipe().run((_from, message) => Array.from(message, byte => Uint8Array.of(byte)))
    expect(pipe.client.isComplete && pipe.server.isComplete).toBe(true)
  })

  test('many messages may come at once, and memory may be used again after receive', () => {
    const pipe = new Pipe()
    const [hello] = [pipe.client.poll()]
    if (hello?.type !== 'send') throw new Error('no ClientHello')
    pipe.server.receive(Level.Initial, hello.bytes, pipe.time)
    const flight: number[] = []
    for (let output = pipe.server.poll(); output !== undefined; output = pipe.server.poll()) {
      if (output.type !== 'send') continue
      if (output.level === Level.Initial) pipe.client.receive(Level.Initial, output.bytes, pipe.time)
      else flight.push(...output.bytes)
    }
    const [first, second] = [Uint8Array.from(flight.slice(0, 700)), Uint8Array.from(flight.slice(700))]
    pipe.client.receive(Level.Handshake, first, pipe.time)
    first.fill(0)
    pipe.client.receive(Level.Handshake, second, pipe.time)
    second.fill(0)
    expect(pipe.client.isComplete).toBe(true)
    const complete = drain(pipe.client).find(output => output.type === 'complete')
    expect(complete).toMatchObject({ certificates: keys.p256.chain })
  })
})
