import { describe, expect, expectTypeOf, test } from 'vitest'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import {
  type ApplicationStage,
  EarlyStage,
  type Exporter,
  type HandshakeStage,
  hashLength,
  ResumptionStage,
} from '../../src/tls13/key-schedule.ts'
import { truncateHello } from '../../src/tls13/messages/client-hello.ts'
import { HelloTranscript } from '../../src/tls13/transcript.ts'
import * as rfc8448 from '../vectors/rfc8448.ts'

function walk(trace: rfc8448.Trace, psk: Uint8Array | undefined): void {
  const hellos = new HelloTranscript(nodeBackend)
  hellos.add(trace.clientHello)
  hellos.add(trace.serverHello)
  const transcript = hellos.start('sha256')
  const handshake = new EarlyStage(nodeBackend, 'sha256', psk).handshake(trace.sharedSecret, transcript.digest())
  expect(handshake.clientSecret).toEqual(trace.clientHandshakeSecret)
  expect(handshake.serverSecret).toEqual(trace.serverHandshakeSecret)

  for (const message of trace.serverMessages) transcript.add(message)
  expect(handshake.serverFinished(transcript.digest())).toEqual(trace.serverFinished.subarray(4))
  transcript.add(trace.serverFinished)
  const application = handshake.application(transcript.digest())
  expect(application.clientSecret).toEqual(trace.clientApplicationSecret)
  expect(application.serverSecret).toEqual(trace.serverApplicationSecret)
  expect(application.exporterSecret).toEqual(trace.exporterSecret)

  for (const message of trace.beforeClientFinished) transcript.add(message)
  expect(handshake.clientFinished(transcript.digest())).toEqual(trace.clientFinished.subarray(4))
  transcript.add(trace.clientFinished)
  expect(application.resumption(transcript.digest()).secret).toEqual(trace.resumptionSecret)
}

describe('key schedule (RFC 8446 §7.1) against RFC 8448', () => {
  test('§3 simple 1-RTT handshake', () => walk(rfc8448.simple, undefined))

  test('§3 the PSK of the ticket', () => {
    const stage = new ResumptionStage(nodeBackend, 'sha256', rfc8448.simple.resumptionSecret)
    expect(stage.ticketSecret(rfc8448.ticketNonce)).toEqual(rfc8448.ticketSecret)
  })

  test('§4 resumed 0-RTT handshake', () => walk(rfc8448.resumed, rfc8448.ticketSecret))

  test('§4 the binder covers the ClientHello without its binders', () => {
    const hello = rfc8448.resumed.clientHello
    const truncated = hello.subarray(0, hello.length - rfc8448.bindersLength)
    expect(truncateHello(hello, 32)).toEqual(truncated)
    const stage = new EarlyStage(nodeBackend, 'sha256', rfc8448.ticketSecret)
    const digest = new HelloTranscript(nodeBackend).digestWith('sha256', truncated)
    expect(stage.binder('resumption', digest)).toEqual(rfc8448.binder)
  })

  test('§4 client_early_traffic_secret', () => {
    const stage = new EarlyStage(nodeBackend, 'sha256', rfc8448.ticketSecret)
    const digest = nodeBackend.hash('sha256', rfc8448.resumed.clientHello)
    expect(stage.earlyTraffic(digest)).toEqual(rfc8448.earlyTrafficSecret)
  })
})

describe('key schedule', () => {
  test('RFC 8446 §7.1: no stage has what a later one knows, and each is made of the one before', () => {
    expectTypeOf<keyof EarlyStage>().toEqualTypeOf<'binder' | 'earlyTraffic' | 'handshake'>()
    expectTypeOf<EarlyStage['handshake']>().returns.toEqualTypeOf<HandshakeStage>()
    type OfHandshake = 'clientSecret' | 'serverSecret' | 'clientFinished' | 'serverFinished' | 'application'
    expectTypeOf<keyof HandshakeStage>().toEqualTypeOf<OfHandshake>()
    expectTypeOf<HandshakeStage['application']>().returns.toEqualTypeOf<ApplicationStage>()
    type OfApplication = 'clientSecret' | 'serverSecret' | 'exporterSecret' | 'resumption' | 'exporter'
    expectTypeOf<keyof ApplicationStage>().toEqualTypeOf<OfApplication>()
    expectTypeOf<ApplicationStage['resumption']>().returns.toEqualTypeOf<ResumptionStage>()
    expectTypeOf<ApplicationStage['exporter']>().returns.toEqualTypeOf<Exporter>()
    expectTypeOf<keyof ResumptionStage>().toEqualTypeOf<'secret' | 'ticketSecret'>()
  })

  test('RFC 9258 §5.2: each kind of PSK has a binder of its own', () => {
    const stage = new EarlyStage(nodeBackend, 'sha384', new Uint8Array(48))
    const hash = new Uint8Array(48)
    const binders = (['resumption', 'imported', 'external'] as const).map(kind => String(stage.binder(kind, hash)))
    expect(new Set(binders).size).toBe(3)
  })

  test('RFC 8446 §7.5: exported keys depend on label, context and length', () => {
    const hash = new Uint8Array(48)
    const early = new EarlyStage(nodeBackend, 'sha384', undefined)
    const keys = early.handshake(new Uint8Array(32), hash).application(hash)
    const exporter = keys.exporter()
    const one = exporter.exportKey('EXPORTER one', Uint8Array.of(1), 100)
    expect(one).toHaveLength(100)
    expect(exporter.exportKey('EXPORTER one', Uint8Array.of(1), 100)).toEqual(one)
    expect(exporter.exportKey('EXPORTER two', Uint8Array.of(1), 100)).not.toEqual(one)
    expect(exporter.exportKey('EXPORTER one', Uint8Array.of(2), 100)).not.toEqual(one)
    expect(exporter.exportKey('EXPORTER one', Uint8Array.of(1), 32)).not.toEqual(one.subarray(0, 32))
  })

  test('hash lengths', () => {
    expect(hashLength('sha256')).toBe(32)
    expect(hashLength('sha384')).toBe(48)
  })
})
