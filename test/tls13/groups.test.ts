// Key exchange: which group is taken, and what both sides say to a share that is none.

import { describe, expect, test } from 'vitest'
import { NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { readClientHello } from '../../src/tls13/messages/client-hello.ts'
import { Message } from '../../src/tls13/messages/handshake.ts'
import { startClient, startServer } from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { clientHello, type Extension, neededExtensions, u16, vector } from './hello-parts.ts'
import { clientConfig, drain, failure, type Output, Pipe, replacing, serverConfig } from './support.ts'

const { X25519, P256, P384, X25519MlKem768: hybrid } = NamedGroup

function sharesOf(groups: readonly NamedGroup[] | undefined): number[] {
  const client = startClient(clientConfig(groups ? { groups } : {}), testTime)
  const [hello] = drain(client) as [Output<'send'>]
  return readClientHello(new Message(hello.bytes)).keyShares?.map(share => share.group) ?? []
}

describe('what is offered', () => {
  test('by default a share of X25519 alone, and no hybrid', () => {
    expect(sharesOf(undefined)).toEqual([X25519])
    const [hello] = drain(startClient(clientConfig(), testTime)) as [Output<'send'>]
    expect(readClientHello(new Message(hello.bytes)).groups).toEqual([X25519, P256, P384])
  })

  test('with the hybrid first, X25519 too, if it is one of the groups: the same key', () => {
    expect(sharesOf([hybrid, X25519])).toEqual([hybrid, X25519])
    expect(sharesOf([hybrid, P256])).toEqual([hybrid])
    expect(sharesOf([X25519, hybrid])).toEqual([X25519])
  })
})

describe('what is agreed upon', () => {
  const agreed = (client: readonly NamedGroup[], server?: readonly NamedGroup[]): { group: number; hellos: number } => {
    const pipe = new Pipe({ groups: client }, server ? { groups: server } : {}).run()
    expect(pipe.complete('server').group).toBe(pipe.complete('client').group)
    return { group: pipe.complete('client').group, hellos: pipe.messages.filter(name => name === 'c1').length }
  }

  test('every group, on both sides', () => {
    for (const group of nodeBackend.groups) {
      expect(agreed([group])).toEqual({ group, hellos: 1 })
      expect(agreed([group], [group])).toEqual({ group, hellos: 1 })
    }
  })

  test('a server takes the hybrid of a client that begins with it, and asks nobody for it', () => {
    expect(agreed([hybrid, X25519])).toEqual({ group: hybrid, hellos: 1 })
    expect(agreed([X25519, hybrid])).toEqual({ group: X25519, hellos: 1 })
  })

  test('a server without the hybrid takes the X25519 beside it', () => {
    expect(agreed([hybrid, X25519], [X25519])).toEqual({ group: X25519, hellos: 1 })
  })

  test('RFC 8446 §4.1.4: a HelloRetryRequest for the hybrid, for P-384, and away from the hybrid', () => {
    expect(agreed([X25519, hybrid], [hybrid])).toEqual({ group: hybrid, hellos: 2 })
    expect(agreed([X25519, P384], [P384])).toEqual({ group: P384, hellos: 2 })
    expect(agreed([hybrid, P256], [P256])).toEqual({ group: P256, hellos: 2 })
  })
})

describe('RFC 8446 §4.2.8: shares that are none', () => {
  const { shares, groups, ...rest } = neededExtensions(nodeBackend.keyExchange(X25519).publicKey)

  function toServer(group: NamedGroup, share: Uint8Array): string {
    const offered: Extension[] = [
      [10, vector(2, u16(group))],
      [51, vector(2, u16(group), vector(2, [...share]))],
    ]
    const hello = clientHello({ extensions: [...Object.values(rest), ...offered] })
    return failure(() => startServer(serverConfig()).receive(Level.Initial, hello, testTime))
  }

  test('draft-ietf-tls-ecdhe-mlkem §4.2: a server answers wrong lengths of the hybrid with illegal_parameter', () => {
    const { publicKey } = nodeBackend.keyExchange(hybrid)
    expect(toServer(hybrid, publicKey)).toBe('none')
    for (const length of [1, 32, 1184, 1215]) {
      expect(toServer(hybrid, publicKey.subarray(0, length))).toBe('IllegalParameter')
    }
    expect(toServer(hybrid, Uint8Array.of(...publicKey, 0))).toBe('IllegalParameter')
    expect(toServer(hybrid, publicKey.slice().fill(0xff, 0, 3))).toBe('IllegalParameter')
    expect(toServer(hybrid, publicKey.slice().fill(0, 1184))).toBe('IllegalParameter')
  })

  test('RFC 8446 §4.2.8.2: P-384', () => {
    const { publicKey } = nodeBackend.keyExchange(P384)
    expect(toServer(P384, publicKey)).toBe('none')
    expect(toServer(P384, publicKey.subarray(0, 96))).toBe('IllegalParameter')
    expect(toServer(P384, publicKey.slice().fill(0xff, 1))).toBe('IllegalParameter')
  })

  test('draft-ietf-tls-ecdhe-mlkem §4.2: a client answers a wrong share of the hybrid with illegal_parameter', () => {
    /** The ServerHello ends with the share; what comes before its bytes says how many there are, four times. */
    const cut = (message: Uint8Array): Uint8Array => {
      const shorter = message.slice(0, -1)
      const share = message.length - 1120
      for (const at of [3, 43, share - 5, share - 1]) {
        shorter[at] = ((shorter[at] as number) - 1) & 0xff
        if (shorter[at] === 0xff) shorter[at - 1]!--
      }
      return shorter
    }
    const run = (change: (message: Uint8Array) => Uint8Array): string =>
      failure(() => new Pipe({ groups: [hybrid] }).run(replacing(2, change)))
    expect(run(message => message)).toBe('none')
    expect(run(cut)).toBe('IllegalParameter')
    expect(run(message => message.slice().fill(0, message.length - 32))).toBe('IllegalParameter')
    // FIPS 203 §6.3: another ciphertext is no fault of form. It gives another secret, and keys that open nothing.
    expect(run(message => message.slice().fill(7, message.length - 1000, message.length - 900))).toBe('DecryptError')
  })

  test('a server that answers with the group of no share', () => {
    const pipe = new Pipe({ groups: [X25519, P256] })
    const change = (message: Uint8Array): Uint8Array => {
      const other = message.slice()
      other[message.length - 35] = P256
      return other
    }
    expect(failure(() => pipe.run(replacing(2, change)))).toBe('IllegalParameter')
  })
})
