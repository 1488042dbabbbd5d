// Clients that show certificates (RFC 8446 §4.3.2, §4.4.2).

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { PrivateKey } from '../../src/crypto/backend.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { Level } from '../../src/packet/level.ts'
import { Alert, TlsAlert } from '../../src/tls13/alert.ts'
import { verifyClients } from '../../src/tls13/certificate-policy.ts'
import { writeCertificate } from '../../src/tls13/messages/certificate.ts'
import { readCertificateRequest, writeCertificateRequest } from '../../src/tls13/messages/certificate-request.ts'
import { asAlert, Message } from '../../src/tls13/messages/handshake.ts'
import type { CertificateRequestInfo, CertifiedKey, ClientAuthentication } from '../../src/tls13/ports.ts'
import { parseCertificate } from '../../src/x509/certificate.ts'
import { TicketSealer } from '../../src/zero-rtt/ticket-sealer.ts'
import { caDer, p256, testTime } from '../support/certificates.ts'
import { certified, failure, message, type Output, Pipe, replacing } from './support.ts'

const read = (name: string): string => readFileSync(new URL(`../vectors/tls13/${name}`, import.meta.url), 'latin1')
const der = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(read(name).replace(/-----.*-----/g, ''), 'base64'))

const alice: CertifiedKey = { chain: [der('client.pem')], key: nodeBackend.privateKey(read('client.key')) }
const authority = der('client-ca.pem')
const required = verifyClients(nodeBackend, [authority], true)
const requested = verifyClients(nodeBackend, [authority], false)
const showing = (shown: CertifiedKey) => ({ certificate: { select: () => shown } })

describe('a client that is asked for a certificate', () => {
  test.each([['required', required] as const, ['requested', requested] as const])(
    'shows it when one is %s, and the server knows who it is',
    (_, clientAuthentication) => {
      const pipe = new Pipe(showing(alice), { clientAuthentication }).run()
      expect(pipe.complete('server').certificates).toEqual(alice.chain)
      expect(pipe.messages).toEqual(['c1', 's2', 's8', 's13', 's11', 's15', 's20', 'c11', 'c15', 'c20'])
    },
  )

  test('hears what signs and whom the server trusts, and need not show any', () => {
    const asked: CertificateRequestInfo[] = []
    const select = (request: CertificateRequestInfo) => void asked.push(request)
    const pipe = new Pipe({ certificate: { select } }, { clientAuthentication: requested }).run()
    expect(asked).toEqual([
      {
        signatureSchemes: nodeBackend.signatureSchemes,
        certificateAuthorities: [parseCertificate(authority).subject],
      },
    ])
    expect(pipe.complete('server').certificates).toEqual([])
  })

  test('RFC 8446 §4.4.2.3: shows nothing that signs by no scheme the server named', () => {
    const clientAuthentication = { ...requested, authorities: [] }
    const backend = { ...nodeBackend, signatureSchemes: [0x0807 as const] }
    const pipe = new Pipe(showing(alice), {
      backend,
      clientAuthentication,
      certificates: { select: () => certified(p256) },
    })
    expect(pipe.run().complete('server').certificates).toEqual([])
  })

  test('RFC 8446 §4.3.2: is not asked when a PSK is used, and not by a server that does not want to know', () => {
    expect(new Pipe(showing(alice)).run().messages).not.toContain('s13')
  })
})

describe('RFC 8446 §4.4.2.4: what a server answers', () => {
  const run = (shown: CertifiedKey | undefined, clientAuthentication: ClientAuthentication): string =>
    failure(() => new Pipe(shown && showing(shown), { clientAuthentication }).run())

  test('certificate_required to a client without, if one is required', () => {
    expect(run(undefined, required)).toBe('CertificateRequired')
    expect(run(undefined, requested)).toBe('none')
  })

  test('unknown_ca, unsupported_certificate, certificate_expired, whether required or not', () => {
    for (const isRequired of [true, false]) {
      expect(run(alice, verifyClients(nodeBackend, [caDer], isRequired))).toBe('UnknownCa')
      // For servers alone.
      expect(run(certified(p256), verifyClients(nodeBackend, [caDer], isRequired))).toBe('UnsupportedCertificate')
      const pipe = new Pipe(showing(alice), {
        clientAuthentication: verifyClients(nodeBackend, [authority], isRequired),
      })
      const late: typeof pipe.server.receive = pipe.server.receive.bind(pipe.server)
      pipe.server.receive = (level, bytes) => late(level, bytes, Date.UTC(2100, 1, 1))
      expect(failure(() => pipe.run())).toBe('CertificateExpired')
    }
  })

  test('what a verifier of the application throws', () => {
    const verify = (): void => {
      throw new TlsAlert(Alert.AccessDenied, 'not you')
    }
    expect(run(alice, { isRequired: true, verifier: { verify }, authorities: [] })).toBe('AccessDenied')
  })

  test('decrypt_error to a signature that is not of this handshake, before the chain is looked at', () => {
    const verify = (): void => {
      throw new Error('asked too early')
    }
    const key = alice.key as PrivateKey
    const forged = { ...key, schemes: key.schemes, sign: () => key.sign(0x0403, Uint8Array.of(1)) }
    const clientAuthentication = { isRequired: true, verifier: { verify }, authorities: [] }
    expect(run({ chain: alice.chain, key: forged }, clientAuthentication)).toBe('DecryptError')
    // Somebody else's certificate.
    expect(run({ chain: p256.chain, key: alice.key }, clientAuthentication)).toBe('DecryptError')
  })

  test('the exact alert to every fault of form', () => {
    const clientAs = (type: number, replace: (original: Uint8Array) => Uint8Array | readonly Uint8Array[]): string => {
      const hand = replacing(type, replace)
      const pipe = new Pipe(showing(alice), { clientAuthentication: required })
      return failure(() => pipe.run((from, bytes, level) => (from === 'client' ? hand(from, bytes, level) : [bytes])))
    }
    expect(clientAs(11, () => [])).toBe('UnexpectedMessage')
    expect(clientAs(15, () => [])).toBe('UnexpectedMessage')
    expect(clientAs(11, original => [original, original])).toBe('UnexpectedMessage')
    expect(clientAs(11, () => writeCertificate([]))).toBe('CertificateRequired')
    expect(clientAs(11, () => writeCertificate([Uint8Array.of(1, 2)]))).toBe('BadCertificate')
    expect(clientAs(11, () => message(11, [1, 9, 0, 0, 0]))).toBe('IllegalParameter')
    expect(clientAs(11, () => message(11, [0, 0, 0, 9]))).toBe('DecodeError')
    expect(clientAs(11, () => message(11, [0, 0, 0, 10, 0, 0, 1, 7, 0, 4, 0, 5, 0, 0]))).toBe('UnsupportedExtension')
    expect(clientAs(15, () => message(15, [0x02, 0x03, 0, 0]))).toBe('IllegalParameter')
    expect(clientAs(15, () => message(15, [0x04, 0x01, 0, 0]))).toBe('IllegalParameter')
    expect(clientAs(15, () => message(15, [0x04, 0x03, 0, 9]))).toBe('DecodeError')
  })

  test('RFC 8446 §4.4.2: a Certificate that nobody asked for is unexpected_message', () => {
    const hand = replacing(20, original => [writeCertificate(alice.chain), original])
    const pipe = new Pipe()
    expect(
      failure(() => pipe.run((from, bytes, level) => (from === 'client' ? hand(from, bytes, level) : [bytes]))),
    ).toBe('UnexpectedMessage')
  })
})

describe('resumption', () => {
  const sealer = new TicketSealer(nodeBackend)

  function ticketOf(certificate: CertifiedKey | undefined, clientAuthentication?: ClientAuthentication) {
    const server = { psks: sealer, tickets: sealer, ...(clientAuthentication && { clientAuthentication }) }
    const pipe = new Pipe(certificate && showing(certificate), server).run()
    const [ticket] = pipe.outputs('client', 'ticket') as [Output<'ticket'>]
    const { ticket: identity, secret, hash, ageAdd } = ticket
    return { kind: 'resumption' as const, identity, secret, hash, obfuscatedAge: ageAdd, earlyData: undefined }
  }

  test('a ticket remembers who showed a certificate, and none is asked for again', () => {
    const psk = ticketOf(alice, required)
    const pipe = new Pipe({ psk }, { psks: sealer, clientAuthentication: required }).run()
    expect(pipe.complete('server')).toMatchObject({ isResumed: true, certificates: alice.chain })
    expect(pipe.messages).not.toContain('s13')
  })

  test('a ticket of a client without a certificate does not open a server that requires one', () => {
    const psk = ticketOf(undefined, requested)
    const server = { psks: sealer, clientAuthentication: required }
    expect(failure(() => new Pipe({ psk }, server).run())).toBe('CertificateRequired')
    expect(new Pipe({ psk, ...showing(alice) }, server).run().complete('server')).toMatchObject({ isResumed: false })
    const open = new Pipe({ psk }, { psks: sealer, clientAuthentication: requested }).run()
    expect(open.complete('server')).toMatchObject({ isResumed: true, certificates: [] })
  })

  test('a ticket is no better than its certificate: when that has expired, it asks again', () => {
    const psk = ticketOf(alice, required)
    const find: TicketSealer['find'] = (...given) => {
      const found = sealer.find(...given)
      if (found !== undefined) Object.assign(found, { expires: Number.MAX_SAFE_INTEGER })
      return found
    }
    const expiry = parseCertificate(alice.chain[0] as Uint8Array).notAfter
    const isAt = (time: number): boolean => {
      const pipe = new Pipe(
        { psk, ...showing(alice) },
        {
          psks: { find: (identity, age) => find(identity, age, testTime) },
          clientAuthentication: { ...required, verifier: { verify() {} } },
        },
      )
      pipe.time = time
      const send = pipe.client.receive.bind(pipe.client)
      pipe.client.receive = (level, bytes) => send(level, bytes, testTime)
      return pipe.run().complete('server').isResumed
    }
    expect(isAt(expiry - 1)).toBe(true)
    expect(isAt(expiry + 1000)).toBe(false)
  })
})

describe('CertificateRequest', () => {
  test('goes there and back', () => {
    const request = { signatureSchemes: nodeBackend.signatureSchemes, certificateAuthorities: [authority, caDer] }
    expect(readCertificateRequest(new Message(writeCertificateRequest(request)))).toEqual(request)
  })

  test('RFC 8446 §4.2, §4.2.4: faults of form, and extensions that belong elsewhere', () => {
    const schemes = [0, 13, 0, 4, 0, 2, 4, 3]
    const fails = (...extension: number[]): string => {
      const request = new Message(message(13, [0, 0, 8 + extension.length, ...schemes, ...extension]))
      return failure(() => {
        try {
          readCertificateRequest(request)
        } catch (error) {
          throw asAlert(error)
        }
      })
    }
    expect(fails()).toBe('none')
    // Unknown ones are ignored.
    expect(fails(0xfa, 0xfa, 0, 1, 7)).toBe('none')
    expect(fails(0, 47, 0, 2, 0, 0)).toBe('DecodeError')
    expect(fails(0, 47, 0, 4, 0, 2, 0, 0)).toBe('DecodeError')
    expect(fails(0, 47, 0, 3, 0, 1, 0)).toBe('DecodeError')
    for (const type of [0, 10, 16, 41, 42, 43, 44, 45, 51, 0x39]) expect(fails(0, type, 0, 0)).toBe('IllegalParameter')
  })

  test('RFC 9001 §4.4: after the handshake it is PROTOCOL_VIOLATION', () => {
    const pipe = new Pipe(showing(alice), { clientAuthentication: required }).run()
    const late = message(13, [1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3])
    expect(failure(() => pipe.client.receive(Level.OneRtt, late, testTime))).toBe('transport 0xa')
  })
})
