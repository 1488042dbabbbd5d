// A client and a server joined by memory, with a hand that may reach in between.

import { readFileSync } from 'node:fs'
import { toHex } from '../../src/bytes/hex.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import type { Level } from '../../src/packet/level.ts'
import { TransportError } from '../../src/packet/transport-error.ts'
import { alertName, TlsAlert } from '../../src/tls13/alert.ts'
import { verifyChain } from '../../src/tls13/certificate-policy.ts'
import { type CertifiedKey, type Psk, type PskSource, refuseEarlyData } from '../../src/tls13/ports.ts'
import {
  startClient,
  startServer,
  type TlsClientConfig,
  type TlsOutput,
  type TlsServerConfig,
  type TlsSession,
} from '../../src/tls13/session.ts'
import { caDer, p256, rsa, type TestIdentity, testTime } from '../support/certificates.ts'
import { openssl } from '../support/openssl.ts'

export type Output<T extends TlsOutput['type']> = Extract<TlsOutput, { type: T }>
export type Side = 'client' | 'server'

/** Sees every message on its way, and returns what arrives instead. */
export type Hand = (from: Side, message: Uint8Array, level: Level) => readonly Uint8Array[]

export const clientParameters: Uint8Array = Uint8Array.of(1, 2, 3)
export const serverParameters: Uint8Array = Uint8Array.of(4, 5, 6, 7)

/** RSA signs by node:crypto alone. */
export function certified(identity: TestIdentity): CertifiedKey {
  const { privateKey } = identity === rsa ? openssl : nodeBackend
  return { chain: identity.chain, key: privateKey(identity.keyPem) }
}

/** A key of P-384 with a certificate signed by itself. */
export function p384(): CertifiedKey {
  const read = (name: string): string => readFileSync(new URL(`../vectors/tls13/${name}`, import.meta.url), 'latin1')
  const base64 = read('p384.pem').replace(/-----.*-----/g, '')
  return { chain: [Uint8Array.from(Buffer.from(base64, 'base64'))], key: nodeBackend.privateKey(read('p384.key')) }
}

const defaultKey: CertifiedKey = certified(p256)

export function clientConfig(changes: Partial<TlsClientConfig> = {}): TlsClientConfig {
  return {
    backend: nodeBackend,
    serverName: 'localhost',
    alpn: ['h3'],
    transportParameters: clientParameters,
    verifier: verifyChain(nodeBackend, [caDer]),
    psk: undefined,
    // So that bytes stand where tests change them.
    grease: false,
    ...changes,
  }
}

export function serverConfig(changes: Partial<TlsServerConfig> = {}): TlsServerConfig {
  return {
    backend: nodeBackend,
    alpn: ['h3'],
    transportParameters: serverParameters,
    certificates: { select: () => defaultKey },
    psks: noPsks,
    earlyData: refuseEarlyData,
    tickets: undefined,
    ...changes,
  }
}

export const noPsks: PskSource = { find: () => undefined }

/** Knows PSKs by the hexadecimal text of their identities. */
export function psksBy(known: Readonly<Record<string, Psk>>): PskSource {
  return { find: identity => known[toHex(identity)] }
}

export class Pipe {
  readonly client: TlsSession
  readonly server: TlsSession
  readonly clientOutputs: TlsOutput[] = []
  readonly serverOutputs: TlsOutput[] = []
  /** Types of the messages that were sent, in order: `c1` is a ClientHello of the client. */
  readonly messages: string[] = []
  time: number = testTime

  constructor(client: Partial<TlsClientConfig> = {}, server: Partial<TlsServerConfig> = {}) {
    this.client = startClient(clientConfig(client), this.time)
    this.server = startServer(serverConfig(server))
  }

  /** Runs until both sides are silent. */
  run(hand: Hand = (_from, message) => [message]): this {
    while (this.#carry('client', hand) || this.#carry('server', hand)) {}
    return this
  }

  outputs<T extends TlsOutput['type']>(side: Side, type: T): Output<T>[] {
    const all = side === 'client' ? this.clientOutputs : this.serverOutputs
    return all.filter((output): output is Output<T> => output.type === type)
  }

  complete(side: Side): Output<'complete'> {
    const [output] = this.outputs(side, 'complete')
    if (output === undefined) throw new Error(`the ${side} is not complete`)
    return output
  }

  #carry(from: Side, hand: Hand): boolean {
    const [source, target] = from === 'client' ? [this.client, this.server] : [this.server, this.client]
    const outputs = from === 'client' ? this.clientOutputs : this.serverOutputs
    const sent: Output<'send'>[] = []
    if (source.isFlightDue) source.makeFlight()
    for (let output = source.poll(); output !== undefined; output = source.poll()) {
      outputs.push(output)
      if (output.type === 'send') sent.push(output)
    }
    for (const { level, bytes } of sent) {
      this.messages.push(`${from[0]}${bytes[0]}`)
      for (const message of hand(from, bytes, level)) target.receive(level, message, this.time)
    }
    return sent.length > 0
  }
}

export function drain(session: TlsSession): TlsOutput[] {
  const outputs: TlsOutput[] = []
  if (session.isFlightDue) session.makeFlight()
  for (let output = session.poll(); output !== undefined; output = session.poll()) outputs.push(output)
  return outputs
}

/** The name of the alert or the transport error that `act` ends in; anything else fails the test. */
export function failure(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof TlsAlert) return alertName(error.alert)
    if (error instanceof TransportError) return `transport 0x${error.code.toString(16)}`
    throw error
  }
  return 'none'
}

/** Replaces messages of one type. */
export function replacing(type: number, replace: (message: Uint8Array) => Uint8Array | readonly Uint8Array[]): Hand {
  return (_from, message) => {
    if (message[0] !== type) return [message]
    const result = replace(message)
    return result instanceof Uint8Array ? [result] : result
  }
}

/** A message of any body. */
export function message(type: number, body: Uint8Array | readonly number[]): Uint8Array {
  return Uint8Array.of(type, body.length >>> 16, body.length >>> 8, body.length, ...body)
}
