// What is asked about a PSK before it counts: whom it stands for and, with an answer that may come later, whether early
// data under it is fresh.

import { describe, expect, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import type {
  Authorization,
  AuthorizationQuestion,
  EarlyDataGate,
  OfferedPsk,
  TicketState,
} from '../../src/tls13/ports.ts'
import type { TlsServerConfig } from '../../src/tls13/session.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { testTime } from '../support/certificates.ts'
import { failure, Pipe, serverParameters } from './support.ts'

const terms = { cipherSuite: 0x1301, alpn: 'h3', serverName: 'localhost', transportParameters: serverParameters }
const checkout: Authorization = { peer: 'checkout-7f', edge: 'checkout>payment', epoch: 3 }

/** A client with a ticket for a server that is configured so. */
function resuming(server: Partial<TlsServerConfig>, authorization?: Authorization): Pipe {
  const sealer = new TicketSealer(nodeBackend)
  const secret = nodeBackend.random(32)
  const state: TicketState = {
    secret,
    hash: 'sha256',
    issued: testTime,
    terms,
    appState: new Uint8Array(0),
    authorization,
  }
  const issued = sealer.issue(state)
  if (issued === undefined) throw new Error('no ticket')
  const psk: OfferedPsk = {
    kind: 'resumption',
    identity: issued.ticket,
    secret,
    hash: 'sha256',
    obfuscatedAge: issued.ageAdd,
    earlyData: terms,
  }
  return new Pipe({ psk }, { psks: sealer, tickets: sealer, ...server })
}

const early = (pipe: Pipe) =>
  pipe.serverOutputs.some(output => output.type === 'secret' && output.level === Level.ZeroRtt)

describe('a gate that answers later', () => {
  const question = { what: 'whatever the gate likes' }
  const gate: EarlyDataGate = { later: () => question, admit: () => false }

  test('nothing goes on, and no early data can be read, until it has', () => {
    const pipe = resuming({ earlyData: gate }).run()
    expect(pipe.outputs('server', 'admissionWanted')).toEqual([{ type: 'admissionWanted', question }])
    expect(pipe.outputs('server', 'send')).toEqual([])
    expect(early(pipe)).toBe(false)
    pipe.server.provideAdmission(true)
    pipe.run()
    expect(early(pipe)).toBe(true)
    expect(pipe.outputs('client', 'earlyData')).toEqual([{ type: 'earlyData', accepted: true }])
    expect(pipe.server.isComplete && pipe.client.isComplete).toBe(true)
  })

  test('a no refuses early data alone, and says why', () => {
    const pipe = resuming({ earlyData: gate }, checkout).run()
    pipe.server.provideAdmission('replayed')
    pipe.run()
    expect(early(pipe)).toBe(false)
    expect(pipe.outputs('server', 'earlyData')).toMatchObject([
      { accepted: false, refusal: 'replayed', authorization: checkout },
    ])
    expect(pipe.complete('client').isResumed).toBe(true)
  })

  test('who answers without being asked is wrong', () => {
    const pipe = resuming({}).run()
    expect(() => pipe.server.provideAdmission(true)).toThrow('no admission was asked for')
    expect(() => pipe.client.provideAdmission(true)).toThrow('no admission was asked for')
  })

  test('is not asked where there is no early data, or none that fits', () => {
    const never = (): never => {
      throw new Error('asked')
    }
    const pipe = new Pipe({}, { earlyData: { later: never, admit: never } }).run()
    expect(pipe.server.isComplete).toBe(true)
    const other = resuming({ alpn: ['h3-29', 'h3'], protocols: () => ['h3'], earlyData: { admit: () => false } }).run()
    expect(other.outputs('server', 'earlyData')).toMatchObject([{ accepted: false, refusal: 'unwanted' }])
  })
})

describe('authorize', () => {
  test('is asked once, when the binder is verified', () => {
    const asked: AuthorizationQuestion[] = []
    const authorize = (question: AuthorizationQuestion) => {
      asked.push(question)
      return checkout
    }
    const pipe = resuming({ authorize }).run()
    expect(asked).toMatchObject([{ serverName: 'localhost', alpn: 'h3', unixTime: testTime }])
    expect(pipe.complete('server').authorization).toEqual(checkout)

    const forged = resuming({ authorize })
    const spoil = (_from: string, message: Uint8Array) => {
      if (message[0] === 1) message[message.length - 1] = (message[message.length - 1] as number) ^ 1
      return [message]
    }
    expect(failure(() => forged.run(spoil))).toBe('DecryptError')
    expect(asked.length).toBe(1)
  })

  test('without it the ticket speaks for itself', () => {
    expect(resuming({}, checkout).run().complete('server').authorization).toEqual(checkout)
    expect(resuming({}).run().complete('server').authorization).toBeUndefined()
    expect(
      resuming({ authorize: () => 'anyone' }, checkout)
        .run()
        .complete('server').authorization,
    ).toBeUndefined()
  })

  test('who is not granted anything is refused, and gets no certificate instead', () => {
    expect(failure(() => resuming({ authorize: () => undefined }, checkout).run())).toBe('AccessDenied')
  })

  test('tickets that the connection gives inherit what was granted', () => {
    const states: TicketState[] = []
    const tickets = { issue: (state: TicketState) => void states.push(state) }
    resuming({ tickets, authorize: () => ({ ...checkout, epoch: 4 }) }).run()
    expect(states.map(({ authorization }) => authorization)).toEqual([{ ...checkout, epoch: 4 }])
  })
})
