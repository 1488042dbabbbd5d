// A client of WebTransport made by hand, and the server it talks to.

import type { Field } from '../../src/http3/field.ts'
import { QpackEncoder } from '../../src/http3/qpack/encoder.ts'
import { Http3Server } from '../../src/http3/server.ts'
import { type WebTransportLimits, writeSettings } from '../../src/http3/settings.ts'
import {
  attachWebTransport,
  type WebTransportServerOptions,
  type WebTransportServerSession,
  webTransportSettings,
  webTransportTunnels,
} from '../../src/http3/webtransport/server.ts'
import { FakePair } from '../support/fake-transport.ts'
import { bytes, concat } from './helpers.ts'

const encoder = new QpackEncoder()
/** SETTINGS of a client: datagrams, and draft-02 or the current one. */
export const clientSettings = (version: string): Uint8Array => bytes(`00 04 07 3301 ${version}`)
/** Those of a client of the current draft that wants flow control. */
export function flowSettings(webTransportLimits: Partial<WebTransportLimits>): Uint8Array {
  const payload = writeSettings({ h3Datagram: true, webTransport: true, webTransportLimits })
  return concat(Uint8Array.of(0, 4, payload.length), payload)
}
export const settings02 = clientSettings('ab603742 01')

export function headers(fields: Field[]): Uint8Array {
  const section = encoder.encode(fields).slice()
  return concat(Uint8Array.of(1, 0x40, section.length), section)
}

/** A client made by hand. */
export class Raw {
  readonly pair = new FakePair()
  readonly server: Http3Server
  readonly sessions: WebTransportServerSession[] = []
  readonly errors: unknown[] = []

  constructor(options: Partial<WebTransportServerOptions> = {}, settings: Uint8Array | undefined = settings02) {
    this.pair.client.streamLimit = { bidi: 100, uni: 100 }
    this.server = new Http3Server(this.pair.server, () => ({ body: 'page' }), {
      ...webTransportSettings,
      webTransportLimits: options.limits,
      tunnels: webTransportTunnels({ session: session => this.sessions.push(session), ...options }),
      onError: error => this.errors.push(error),
    })
    attachWebTransport(this.server)
    this.pair.server.sink = this.server
    if (settings !== undefined) this.open('uni', settings)
  }

  open(direction: 'bidi' | 'uni', data: Uint8Array, fin = false): number {
    const id = this.pair.client.openStream(direction) as number
    this.pair.client.write(id, data, fin)
    return id
  }

  connect(protocol = 'webtransport', more: Field[] = []): number {
    return this.open(
      'bidi',
      headers([
        [':method', 'CONNECT'],
        [':protocol', protocol],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/'],
        ...more,
      ]),
    )
  }

  /** Content of a CONNECT stream. */
  content(id: number, content: Uint8Array, fin = false): void {
    this.pair.client.write(id, concat(Uint8Array.of(0, 0x80, 0, content.length >> 8, content.length), content), fin)
  }

  get code(): number | undefined {
    return this.pair.server.closedWith?.code
  }
}
