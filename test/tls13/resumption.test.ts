import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { type KeyExchange, NamedGroup } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  type CipherSuite,
  TLS_AES_128_GCM_SHA256,
  TLS_AES_256_GCM_SHA384,
  TLS_CHACHA20_POLY1305_SHA256,
} from '../../src/crypto/cipher-suite.ts'
import { Level } from '../../src/packet/level.ts'
import { EarlyStage } from '../../src/tls13/key-schedule.ts'
import { writeNewSessionTicket } from '../../src/tls13/messages/new-session-ticket.ts'
import type {
  EarlyDataAttempt,
  EarlyDataTerms,
  OfferedPsk,
  Psk,
  PskKind,
  PskSource,
  TicketIssuer,
  TicketState,
} from '../../src/tls13/ports.ts'
import { MAX_OFFERED_IDENTITY_LENGTH } from '../../src/tls13/psk.ts'
import {
  MAX_TICKETS,
  startServer,
  type TlsClientConfig,
  type TlsOutput,
  type TlsServerConfig,
  type TlsSession,
} from '../../src/tls13/session.ts'
import { testTime } from '../support/certificates.ts'
import { completeAsClient, watchedBackend } from './by-hand.ts'
import { drain, failure, message, type Output, Pipe, psksBy, serverConfig, serverParameters } from './support.ts'

/** Keeps the state by ticket: a database instead of sealing. */
class TicketTable implements TicketIssuer, PskSource {
  readonly states: TicketState[] = []
  readonly ages: number[] = []

  issue(state: TicketState): { ticket: Uint8Array; lifetimeSeconds: number; ageAdd: number } {
    this.states.push(state)
    return { ticket: Uint8Array.of(0xaa, this.states.length), lifetimeSeconds: 600, ageAdd: 0xfffffff0 }
  }

  find(identity: Uint8Array, obfuscatedAge: number, _unixTime: number): Psk | undefined {
    const state = identity[0] === 0xaa ? this.states[(identity[1] as number) - 1] : undefined
    if (state === undefined) return undefined
    const claimedAge = (obfuscatedAge - 0xfffffff0) >>> 0
    this.ages.push(claimedAge)
    const { secret, hash, terms: earlyData, appState, issued } = state
    return { kind: 'resumption', secret, hash, earlyData, expires: issued + 600_000, appState, claimedAge }
  }
}

function offer(ticket: Output<'ticket'>, changes: Partial<OfferedPsk> = {}): OfferedPsk {
  const { ticket: identity, secret, hash, cipherSuite, ageAdd, allowsEarlyData } = ticket
  const earlyData = allowsEarlyData
    ? { cipherSuite, alpn: 'h3', serverName: 'localhost', transportParameters: serverParameters }
    : undefined
  return { kind: 'resumption', identity, secret, hash, obfuscatedAge: (1000 + ageAdd) % 2 ** 32, earlyData, ...changes }
}

/** A first connection that ends with tickets. */
function firstConnection(
  server: Partial<TlsServerConfig> = {},
  client: Partial<TlsClientConfig> = {},
): { table: TicketTable; tickets: Output<'ticket'>[]; pipe: Pipe } {
  const table = new TicketTable()
  const pipe = new Pipe(client, { tickets: table, psks: table, ticketTerms: true, ...server }).run()
  return { table, tickets: pipe.outputs('client', 'ticket'), pipe }
}

describe('tickets (RFC 8446 §4.6.1)', () => {
  test('two of them, in 1-RTT, each with a PSK of its own that both sides know', () => {
    const suites = { cipherSuites: [TLS_AES_128_GCM_SHA256] }
    const { table, tickets, pipe } = firstConnection({ appState: Uint8Array.of(7), ...suites })
    expect(tickets.map(ticket => ticket.ticket)).toEqual([Uint8Array.of(0xaa, 1), Uint8Array.of(0xaa, 2)])
    expect(tickets.map(ticket => ticket.secret)).toEqual(table.states.map(state => state.secret))
    expect(tickets[0]?.secret).not.toEqual(tickets[1]?.secret)
    expect(tickets[0]).toMatchObject({
      hash: 'sha256',
      cipherSuite: 0x1301,
      lifetimeSeconds: 600,
      ageAdd: 0xfffffff0,
      allowsEarlyData: true,
    })
    expect(
      pipe
        .outputs('server', 'send')
        .slice(-2)
        .map(output => output.level),
    ).toEqual([Level.OneRtt, Level.OneRtt])
    expect(table.states[0]).toMatchObject({
      hash: 'sha256',
      issued: testTime,
      appState: Uint8Array.of(7),
      terms: { cipherSuite: 0x1301, alpn: 'h3', serverName: 'localhost', transportParameters: serverParameters },
    })
  })

  test('as many as the server wants, without early data if it says so', () => {
    const { table, tickets } = firstConnection({ ticketCount: 5, ticketTerms: false })
    expect(tickets.map(ticket => ticket.allowsEarlyData)).toEqual([false, false, false, false, false])
    expect(table.states[0]?.terms).toBeUndefined()
    expect(firstConnection({ ticketCount: 0 }).tickets).toEqual([])
    expect(firstConnection({ ticketCount: 1000 }).tickets).toHaveLength(MAX_TICKETS)
    expect(firstConnection({ tickets: { issue: () => undefined } }).tickets).toEqual([])
  })

  test('a client takes a bounded number, and none without a lifetime', () => {
    const { pipe } = firstConnection({ ticketCount: 0 })
    const ticket = (lifetimeSeconds: number) =>
      writeNewSessionTicket({
        lifetimeSeconds,
        ageAdd: 1,
        nonce: Uint8Array.of(1),
        ticket: Uint8Array.of(2),
        allowsEarlyData: false,
      })
    pipe.client.receive(Level.OneRtt, ticket(0), testTime)
    expect(drain(pipe.client)).toEqual([])
    // A lifetime of more than a week counts as a week.
    pipe.client.receive(Level.OneRtt, ticket(0xffffffff), testTime)
    expect(drain(pipe.client)).toMatchObject([{ type: 'ticket', lifetimeSeconds: 604800 }])
    for (let i = 0; i < 100; i++) pipe.client.receive(Level.OneRtt, ticket(60), testTime)
    expect(drain(pipe.client)).toHaveLength(MAX_TICKETS - 1)
  })

  test('RFC 9001 §4.6.1: max_early_data_size is 0xffffffff or PROTOCOL_VIOLATION', () => {
    const { pipe } = firstConnection({ ticketCount: 0 })
    const bytes = writeNewSessionTicket({
      lifetimeSeconds: 9,
      ageAdd: 1,
      nonce: new Uint8Array(0),
      ticket: Uint8Array.of(2),
      allowsEarlyData: true,
    })
    bytes[bytes.length - 1] = 0xfe
    expect(failure(() => pipe.client.receive(Level.OneRtt, bytes, testTime))).toBe('transport 0xa')
  })
})

describe('resumption (RFC 8446 §2.2)', () => {
  for (const suite of [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]) {
    test(`${suite.name}: no certificate, new keys`, () => {
      const { table, tickets } = firstConnection({ cipherSuites: [suite] })
      const psk = offer(tickets[0] as Output<'ticket'>)
      const pipe = new Pipe({ psk }, { psks: table, cipherSuites: [suite] }).run()
      expect(pipe.messages).toEqual(['c1', 's2', 's8', 's20', 'c20'])
      expect(pipe.complete('client')).toMatchObject({ isResumed: true, certificates: [], suite })
      expect(pipe.complete('server')).toMatchObject({ isResumed: true, psk: { kind: 'resumption' } })
      expect(table.ages).toEqual([1000])
    })
  }

  test('a PSK of SHA-384 makes the server choose a suite of SHA-384', () => {
    const { table, tickets } = firstConnection({ cipherSuites: [TLS_AES_256_GCM_SHA384] })
    const pipe = new Pipe({ psk: offer(tickets[0] as Output<'ticket'>) }, { psks: table }).run()
    expect(pipe.complete('server')).toMatchObject({ isResumed: true, suite: TLS_AES_256_GCM_SHA384 })
  })

  test('a PSK the server does not know, or no longer, or has no suite for: a certificate instead', () => {
    const { table, tickets } = firstConnection()
    const psk = offer(tickets[0] as Output<'ticket'>)
    const strange = new Pipe({ psk: { ...psk, identity: Uint8Array.of(0xbb) } }, { psks: table }).run()
    expect(strange.complete('client').isResumed).toBe(false)
    expect(strange.outputs('client', 'earlyData')).toEqual([{ type: 'earlyData', accepted: false }])

    const old = new Pipe({ psk }, { psks: table })
    old.time = testTime + 600_000
    expect(old.run().complete('client').isResumed).toBe(false)

    const other = new Pipe({ psk }, { psks: table, cipherSuites: [TLS_AES_256_GCM_SHA384] }).run()
    expect(other.complete('client')).toMatchObject({ isResumed: false, suite: TLS_AES_256_GCM_SHA384 })
  })

  test('a PSK that fits no suite of ours, or no ClientHello, is not offered', () => {
    const psk: OfferedPsk = {
      kind: 'external',
      identity: Uint8Array.of(1),
      secret: new Uint8Array(32),
      hash: 'sha384',
      obfuscatedAge: 0,
      earlyData: undefined,
    }
    const size = (changes: Partial<TlsClientConfig>) => helloOf(changes).length
    const without = size({})
    expect(size({ psk })).toBe(without + 2 + 2 + 2 + 2 + 1 + 4 + 2 + 1 + 48)
    expect(size({ psk, cipherSuites: [TLS_AES_128_GCM_SHA256] })).toBe(without - 4)
    expect(size({ psk: { ...psk, identity: new Uint8Array(0) } })).toBe(without)
    expect(size({ psk: { ...psk, identity: new Uint8Array(MAX_OFFERED_IDENTITY_LENGTH + 1) } })).toBe(without)
    expect(size({ psk: { ...psk, identity: new Uint8Array(MAX_OFFERED_IDENTITY_LENGTH) } })).toBeGreaterThan(8192)
  })

  test('RFC 8446 §4.2.11: a binder that does not verify is decrypt_error, and no reason to fall back', () => {
    const { table, tickets } = firstConnection()
    const psk = offer(tickets[0] as Output<'ticket'>)
    expect(failure(() => new Pipe({ psk: { ...psk, secret: new Uint8Array(32) } }, { psks: table }).run())).toBe(
      'DecryptError',
    )
    for (const kind of ['imported', 'external'] as PskKind[]) {
      expect(failure(() => new Pipe({ psk: { ...psk, kind } }, { psks: table }).run())).toBe('DecryptError')
    }
    // Any byte before the binder is covered by it.
    const tampered = new Pipe({ psk }, { psks: table })
    const flip = (_from: string, bytes: Uint8Array) => {
      if (bytes[0] === 1) bytes[10] = (bytes[10] as number) ^ 1
      return [bytes]
    }
    expect(failure(() => tampered.run(flip))).toBe('DecryptError')
  })
})

function helloOf(changes: Partial<TlsClientConfig>): Uint8Array {
  const [output] = new Pipe(changes).run(() => []).outputs('client', 'send')
  return (output as Output<'send'>).bytes
}

describe('early data (RFC 8446 §4.2.10, RFC 9001 §4.6)', () => {
  const identity = Uint8Array.of(0xcc)
  const secret = nodeBackend.random(32)
  const terms: EarlyDataTerms = {
    cipherSuite: 0x1301,
    alpn: 'h3',
    serverName: 'localhost',
    transportParameters: serverParameters,
  }
  const offered: OfferedPsk = { kind: 'imported', identity, secret, hash: 'sha256', obfuscatedAge: 0, earlyData: terms }
  const known: Psk = {
    kind: 'imported',
    secret,
    hash: 'sha256',
    earlyData: terms,
    expires: Number.POSITIVE_INFINITY,
    appState: new Uint8Array(0),
  }

  interface Trial {
    client?: Partial<TlsClientConfig>
    server?: Partial<TlsServerConfig>
    psk?: Partial<Psk>
    admit?: boolean
  }

  function attempt(trial: Trial = {}): { pipe: Pipe; attempts: EarlyDataAttempt[]; accepted: (boolean | undefined)[] } {
    const attempts: EarlyDataAttempt[] = []
    const gate = {
      admit: (one: EarlyDataAttempt) => {
        attempts.push(one)
        return trial.admit ?? true
      },
    }
    const psks = psksBy({ [toHex(identity)]: { ...known, ...trial.psk } })
    const pipe = new Pipe({ psk: offered, ...trial.client }, { psks, earlyData: gate, ...trial.server }).run()
    const accepted = (['client', 'server'] as const).map(side => pipe.outputs(side, 'earlyData')[0]?.accepted)
    expect(pipe.client.isComplete && pipe.server.isComplete).toBe(true)
    return { pipe, attempts, accepted }
  }

  for (const suite of [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256]) {
    test(`accepted with an imported PSK and ${suite.name}, although the server would prefer others`, () => {
      const earlyData = { ...terms, cipherSuite: suite.id }
      const { pipe, accepted } = attempt({
        client: { psk: { ...offered, hash: suite.hash, earlyData } },
        psk: { hash: suite.hash, earlyData },
      })
      expect(accepted).toEqual([true, true])
      const early = (['client', 'server'] as const).map(side =>
        pipe.outputs(side, 'secret').find(output => output.level === Level.ZeroRtt),
      )
      expect(early).toMatchObject([
        { direction: 'write', suite },
        { direction: 'read', suite },
      ])
      expect(early[0]?.secret).toEqual(early[1]?.secret)
      expect(pipe.complete('server')).toMatchObject({ isResumed: true, psk: { kind: 'imported' }, suite })
    })
  }

  test('the outputs come in time: after the ClientHello, and before all other secrets', () => {
    const { pipe } = attempt()
    expect(pipe.clientOutputs.slice(0, 2).map(output => output.type)).toEqual(['send', 'secret'])
    expect(pipe.serverOutputs.slice(0, 5).map(output => output.type)).toEqual([
      'peerParameters',
      'protocol',
      'earlyData',
      'secret',
      'send',
    ])
    expect(pipe.clientOutputs.map(output => output.type)).toEqual([
      'send',
      'secret',
      'secret',
      'secret',
      'earlyData',
      'protocol',
      'peerParameters',
      'send',
      'secret',
      'secret',
      'complete',
    ])
  })

  describe('does not wait for the key exchange', () => {
    function offering(client: Partial<TlsClientConfig> = {}): Pipe {
      const pipe = new Pipe(
        { psk: offered, ...client },
        { psks: psksBy({ [toHex(identity)]: known }), earlyData: always },
      )
      pipe.server.receive(Level.Initial, (pipe.client.poll() as Output<'send'>).bytes, testTime)
      return pipe
    }
    const always = { admit: () => true }
    const waiting = (session: TlsSession): TlsOutput['type'][] => {
      const types: TlsOutput['type'][] = []
      for (let output = session.poll(); output !== undefined; output = session.poll()) types.push(output.type)
      return types
    }

    test('its secret comes first, the flight when it is asked for, once', () => {
      const { server, client } = offering()
      expect(waiting(server)).toEqual(['peerParameters', 'protocol', 'earlyData', 'secret'])
      expect([server.isFlightDue, client.isFlightDue]).toEqual([true, false])
      server.makeFlight()
      expect(waiting(server).slice(0, 3)).toEqual(['send', 'secret', 'secret'])
      expect(server.isFlightDue).toBe(false)
      expect(() => server.makeFlight()).toThrow('no flight is due')
      expect(() => client.makeFlight()).toThrow('no flight is due')
    })

    test('no message may come before the flight', () => {
      const { server } = offering()
      const finished = message(20, new Array(32).fill(0))
      expect(failure(() => server.receive(Level.Handshake, finished, testTime))).toBe('UnexpectedMessage')
    })

    test('a share that is not a valid one ends it there, for good', () => {
      const zeros = { group: NamedGroup.X25519, publicKey: new Uint8Array(32), agree: () => undefined }
      const { server } = offering({ backend: { ...nodeBackend, keyExchange: () => zeros } })
      expect(server.isFlightDue).toBe(true)
      expect(failure(() => server.makeFlight())).toBe('IllegalParameter')
      expect(server.isFlightDue).toBe(false)
    })
  })

  test('the gate sees the attempt', () => {
    const { attempts, pipe } = attempt()
    expect(attempts).toHaveLength(1)
    const hello = pipe.outputs('client', 'send')[0]?.bytes as Uint8Array
    expect(attempts[0]).toMatchObject({
      psk: { kind: 'imported' },
      identity,
      binder: hello.subarray(-32),
      ticketAge: undefined,
      hello: { serverName: 'localhost', alpn: ['h3'] },
      unixTime: testTime,
    })
  })

  test('a ticket brings its age to the gate', () => {
    const { table, tickets } = firstConnection()
    const ages: (number | undefined)[] = []
    const earlyData = { admit: (one: EarlyDataAttempt) => ages.push(one.ticketAge) > 0 }
    const pipe = new Pipe({ psk: offer(tickets[0] as Output<'ticket'>) }, { psks: table, earlyData }).run()
    expect(ages).toEqual([1000])
    expect(pipe.outputs('client', 'earlyData')).toEqual([{ type: 'earlyData', accepted: true }])
  })

  test('key log: CLIENT_EARLY_TRAFFIC_SECRET on both sides', () => {
    const lines: string[] = []
    const keyLog = (label: string, _random: Uint8Array, key: Uint8Array) => lines.push(`${label} ${toHex(key)}`)
    attempt({ client: { keyLog }, server: { keyLog } })
    const early = lines.filter(line => line.startsWith('CLIENT_EARLY_TRAFFIC_SECRET'))
    expect(early).toHaveLength(2)
    expect(early[0]).toBe(early[1])
  })

  const refused: Record<string, Trial & { asked?: boolean }> = {
    'the gate says no': { admit: false, asked: true },
    'the PSK forbids it': { psk: { earlyData: undefined } },
    'the suite is another': { server: { cipherSuites: [TLS_CHACHA20_POLY1305_SHA256] } },
    'the protocol is another': { client: { alpn: ['h3', 'hq'] }, server: { alpn: ['hq'] } },
    'the name is another': { psk: { earlyData: { ...terms, serverName: 'other.test' } } },
    'the server asks for another group': {
      client: { groups: [NamedGroup.X25519, NamedGroup.P256] },
      server: { groups: [NamedGroup.P256] },
    },
    'the PSK is unknown': { server: { psks: { find: () => undefined } } },
  }
  for (const [reason, trial] of Object.entries(refused)) {
    test(`refused when ${reason}, and the handshake goes on`, () => {
      const { pipe, accepted, attempts } = attempt(trial)
      expect(accepted).toEqual([false, false])
      expect(attempts).toHaveLength(trial.asked ? 1 : 0)
      expect(pipe.outputs('server', 'secret').some(output => output.level === Level.ZeroRtt)).toBe(false)
    })
  }

  test('names are compared only when both are known', () => {
    expect(attempt({ psk: { earlyData: { ...terms, serverName: undefined } } }).accepted).toEqual([true, true])
    const { accepted } = attempt({ client: { serverName: '127.0.0.1' } })
    expect(accepted).toEqual([true, true])
  })

  test('not offered under terms that this ClientHello cannot meet', () => {
    const none = (changes: Partial<TlsClientConfig>) =>
      expect(attempt({ client: changes }).accepted).toEqual([undefined, undefined])
    none({ psk: { ...offered, earlyData: undefined } })
    none({ psk: { ...offered, earlyData: { ...terms, alpn: 'other' } } })
    none({ cipherSuites: [TLS_CHACHA20_POLY1305_SHA256] })
    none({ psk: { ...offered, earlyData: { ...terms, cipherSuite: TLS_AES_256_GCM_SHA384.id } } })
  })

  test('RFC 8446 §4.2.10: only the first identity', () => {
    // A hello with an unknown identity in front of ours, made by hand from one with ours alone.
    const first = helloOf({ psk: offered })
    const unknown = [0, 1, 0xdd, 0, 0, 0, 0]
    const [at, end] = [first.length - 35 - 7, first.length - 35]
    const hello = Uint8Array.from([
      ...first.subarray(0, at),
      ...unknown,
      ...first.subarray(at, end),
      ...[0, 66, 32, ...new Uint8Array(32), 32, ...new Uint8Array(32)],
    ])
    addTo(hello, at - 2, 7)
    addTo(hello, at - 4, 7 + 33)
    addTo(hello, 2, 7 + 33)
    addTo(hello, 43 + 2 * nodeBackend.cipherSuites.length, 7 + 33)
    hello.set(binderOf(hello.subarray(0, hello.length - 68)), hello.length - 32)

    const asked: EarlyDataAttempt[] = []
    const earlyData = { admit: (one: EarlyDataAttempt) => asked.push(one) > 0 }
    const psks = psksBy({ [toHex(identity)]: known })
    const pipe = new Pipe({}, { psks, earlyData })
    pipe.server.receive(Level.Initial, hello, testTime)
    const outputs = drain(pipe.server)
    expect(outputs).toContainEqual(expect.objectContaining({ type: 'earlyData', accepted: false, refusal: 'unknown' }))
    expect(asked).toEqual([])
    // The PSK itself is used: no certificate in the flight.
    expect(outputs.filter(output => output.type === 'send').map(output => output.bytes[0])).toEqual([2, 8, 20])
  })

  function binderOf(truncated: Uint8Array): Uint8Array {
    const suite: CipherSuite = TLS_AES_128_GCM_SHA256
    return new EarlyStage(nodeBackend, suite.hash, secret).binder('imported', nodeBackend.hash(suite.hash, truncated))
  }
})

function addTo(bytes: Uint8Array, at: number, value: number): void {
  const sum = ((bytes[at] as number) << 8) + (bytes[at + 1] as number) + value
  bytes[at] = sum >>> 8
  bytes[at + 1] = sum
}

describe('after the handshake', () => {
  test('RFC 9001 §6: KeyUpdate is unexpected_message, on both sides', () => {
    const pipe = new Pipe().run()
    const keyUpdate = message(24, [0])
    expect(failure(() => pipe.client.receive(Level.OneRtt, keyUpdate, testTime))).toBe('UnexpectedMessage')
    expect(failure(() => pipe.server.receive(Level.OneRtt, keyUpdate, testTime))).toBe('UnexpectedMessage')
  })

  test('RFC 9001 §4.4: CertificateRequest is PROTOCOL_VIOLATION', () => {
    const pipe = new Pipe().run()
    expect(failure(() => pipe.client.receive(Level.OneRtt, message(13, [0, 0, 0]), testTime))).toBe('transport 0xa')
  })

  test('a server takes nothing at all', () => {
    for (const type of [1, 4, 11, 20]) {
      const pipe = new Pipe().run()
      expect(failure(() => pipe.server.receive(Level.OneRtt, message(type, []), testTime))).toBe('UnexpectedMessage')
    }
  })

  test('RFC 8446 §4.2.9: tickets, but none for a client without psk_dhe_ke', () => {
    for (const [mode, count] of [
      [1, 2],
      [0, 0],
    ] as const) {
      const { backend, exchanges } = watchedBackend()
      const hello = helloOf({ backend })
      const at = Buffer.from(hello).indexOf(Uint8Array.of(0, 45, 0, 2, 1, 1))
      hello[at + 5] = mode
      const server = startServer(serverConfig({ tickets: new TicketTable() }))
      const outputs = completeAsClient(server, hello, exchanges[0] as KeyExchange)
      expect(server.isComplete).toBe(true)
      expect(outputs.filter(output => output.type === 'send' && output.level === Level.OneRtt)).toHaveLength(count)
    }
  })
})
