// A peer of HTTP/3 made by hand: it writes whatever bytes a test wants, on whatever stream, and is judged by the code.

import { expect } from 'vitest'
import { Http3Client } from '../../src/http3/client.ts'
import { Http3ErrorCode } from '../../src/http3/error-codes.ts'
import type { Field } from '../../src/http3/field.ts'
import { QpackEncoder } from '../../src/http3/qpack/encoder.ts'
import type { RequestStream } from '../../src/http3/request-stream.ts'
import { Http3Server, type Http3ServerOptions } from '../../src/http3/server.ts'
import { FakePair, type FakeTransport } from '../support/fake-transport.ts'

/** What is under test. */
export type Role = 'client' | 'server'
export type CodeName = keyof typeof Http3ErrorCode

/** SETTINGS without a setting, at the beginning of a control stream. */
export const control = '00 0400'
export const get: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a'],
  [':path', '/'],
]

const encoder = new QpackEncoder()

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

/** HEADERS. */
export function headers(fields: readonly Field[]): string {
  const section = encoder.encode(fields)
  return `01 ${Buffer.from([0x40 | (section.length >> 8), section.length]).toString('hex')} ${Buffer.from(section).toString('hex')}`
}

/** DATA. */
export function data(text: string): string {
  return `00 ${Buffer.from([text.length]).toString('hex')} ${Buffer.from(text).toString('hex')}`
}

export class Http3Peer {
  readonly pair = new FakePair()
  readonly role: Role
  readonly us: FakeTransport
  readonly them: FakeTransport
  readonly server: Http3Server | undefined
  /** Requests a client under test has sent: on streams 0 and 4. */
  readonly requests: RequestStream[] = []

  constructor(role: Role, options: Http3ServerOptions & { readonly method?: string } = {}) {
    this.role = role
    this.us = this.pair[role]
    this.them = role === 'client' ? this.pair.server : this.pair.client
    if (role === 'server') {
      this.server = new Http3Server(this.us, async request => ({ body: await request.text() }), options)
      this.us.sink = this.server
      return
    }
    const client = new Http3Client(this.us, { ...options, authority: 'a' })
    this.us.sink = client
    for (let i = 0; i < 2; i++) {
      const fields: Field[] = [[':method', options.method ?? 'GET'], ...get.slice(1)]
      this.requests.push(client.connection.openRequest(fields, undefined, true) as RequestStream)
    }
  }

  /** On a unidirectional stream of its own. */
  uni(hex: string, fin = false): this {
    return this.write(this.them.openStream('uni') as number, hex, fin)
  }

  /** On the stream of a request: as the client a new one, as the server the first. */
  request(hex: string, fin = false): this {
    return this.write(this.role === 'server' ? (this.them.openStream('bidi') as number) : 0, hex, fin)
  }

  write(id: number, hex: string, fin = false): this {
    this.them.write(id, bytesOf(hex), fin)
    while (this.pair.step());
    return this
  }

  /** What an application does that wants everything. */
  async read(): Promise<this> {
    await this.pair.settle()
    for (const stream of this.requests) while (stream.read() !== undefined);
    await this.pair.settle()
    return this
  }

  /** The connection was closed with this code. */
  expectClose(code: CodeName): void {
    expect(this.us.closedWith?.code, this.us.closedWith?.reason).toBe(Http3ErrorCode[code])
  }

  /** A stream was given up with this code, and the connection goes on. */
  expectAbort(code: CodeName, id = 0): void {
    expect(this.us.closedWith).toBeUndefined()
    const codes = [...this.us.resets, ...this.us.stops].filter(([stream]) => stream === id).map(([, value]) => value)
    const seen =
      this.role === 'client' ? [this.requests[id / 4]?.error].map(error => (error as { code?: number })?.code) : codes
    expect(seen).toContain(Http3ErrorCode[code])
  }

  expectNothing(): void {
    expect(this.us.closedWith).toBeUndefined()
  }
}
