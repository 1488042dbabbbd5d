import { describe, expect, test } from 'vitest'
import { Http3Connection } from '../../src/http3/connection.ts'
import { Http3ErrorCode as Code } from '../../src/http3/error-codes.ts'
import { MAX_GLITCHES } from '../../src/http3/glitches.ts'
import type { RequestStream } from '../../src/http3/request-stream.ts'
import { limits } from '../../src/limits.ts'
import { FakePair, type FakeTransport } from '../support/fake-transport.ts'

import { bytes, concat, hex } from './helpers.ts'

/** One end is an Http3Connection, the other a test that writes bytes. */
class Raw {
  readonly pair = new FakePair()
  readonly us: FakeTransport
  readonly them: FakeTransport
  readonly connection: Http3Connection
  readonly events: string[] = []
  readonly #heads: RequestStream[] = []

  constructor(role: 'client' | 'server', remembered?: Uint8Array) {
    this.us = this.pair[role]
    this.them = role === 'client' ? this.pair.server : this.pair.client
    this.connection = new Http3Connection(this.us, { role, rememberedSettings: remembered })
    this.us.sink = {
      onEvent: event => {
        this.connection.onEvent(event)
        for (let fact = this.connection.poll(); fact; fact = this.connection.poll()) {
          this.events.push(fact.type)
          if (fact.type === 'head') this.#heads.push(fact.stream)
        }
      },
    }
  }

  /** Opens a stream of theirs with these bytes. */
  open(direction: 'bidi' | 'uni', data: string | Uint8Array, fin = false): number {
    const id = this.them.openStream(direction) as number
    this.write(id, data, fin)
    return id
  }

  write(id: number, data: string | Uint8Array, fin = false): void {
    this.them.write(id, typeof data === 'string' ? bytes(data) : data, fin)
    while (this.pair.step());
  }

  /** What an application does that wants all content. */
  readAll(): void {
    for (const stream of this.#heads) while (stream.read() !== undefined);
  }

  get code(): number | undefined {
    return this.us.closedWith?.code
  }
}

const settings = '00 0400'
/** GET https / of "a", as a HEADERS frame. */
const get = '01 08 0000 d1 d7 5001 61 c1'

describe('RFC 9114 §6.2.1: our control stream', () => {
  test('opens at once with SETTINGS', () => {
    const raw = new Raw('server')
    raw.pair.step()
    const first = raw.them.read(3)?.data as Uint8Array
    expect(hex(first)).toBe('00 04 0d 01 5000 06 80010000 07 4040 21 00 21 00'.replaceAll(' ', ''))
  })
  test('waits for the peer to allow it', () => {
    const pair = new FakePair()
    pair.client.streamLimit.uni = 0
    const connection = new Http3Connection(pair.client, { role: 'client' })
    expect(pair.client.sent.length).toBe(0)
    pair.client.streamLimit.uni = 1
    connection.onEvent({ type: 'streamsAvailable', direction: 'uni' })
    connection.onEvent({ type: 'handshakeComplete' })
    expect(pair.client.flow(2).writes).toBe(1)
  })
  test('being asked to stop it: H3_CLOSED_CRITICAL_STREAM', () => {
    const raw = new Raw('server')
    raw.them.stop(3, 0)
    raw.pair.step()
    expect(raw.code).toBe(Code.ClosedCriticalStream)
  })
})

describe('RFC 9114 §6.2, §7.2: streams of the peer, by their bytes', () => {
  const cases: [string, 'client' | 'server', string, number | undefined][] = [
    ['SETTINGS', 'server', settings, undefined],
    ['SETTINGS twice (§7.2.4)', 'server', `${settings} 0400`, Code.FrameUnexpected],
    ['no SETTINGS (§6.2.1)', 'server', '00 0d0100', Code.MissingSettings],
    ['an unknown frame before SETTINGS', 'server', '00 2100', Code.MissingSettings],
    ['DATA (§7.2.1)', 'server', `${settings} 0000`, Code.FrameUnexpected],
    ['HEADERS (§7.2.2)', 'server', `${settings} 0100`, Code.FrameUnexpected],
    ['PUSH_PROMISE (§7.2.5)', 'client', `${settings} 0500`, Code.FrameUnexpected],
    ['a frame of HTTP/2 (§7.2.8)', 'server', `${settings} 0600`, Code.FrameUnexpected],
    ['a reserved frame (§7.2.8)', 'server', `${settings} 2103aabbcc 4040 02 0102`, undefined],
    ['SETTINGS of HTTP/2', 'server', '00 0402 0201', Code.SettingsError],
    ['SETTINGS cut short', 'server', '00 0401 06', Code.FrameError],
    ['SETTINGS too long', 'server', '00 04 5001', Code.ExcessiveLoad],
    ['CANCEL_PUSH at a client (§7.2.3)', 'client', `${settings} 030100`, Code.IdError],
    ['CANCEL_PUSH at a server (§7.2.3)', 'server', `${settings} 030100`, Code.IdError],
    ['CANCEL_PUSH without an id', 'server', `${settings} 0300`, Code.FrameError],
    ['GOAWAY at a client (§5.2)', 'client', `${settings} 070104`, undefined],
    ['GOAWAY twice', 'client', `${settings} 070108 070104 070104`, undefined],
    ['GOAWAY goes up (§5.2)', 'client', `${settings} 070104 070108`, Code.IdError],
    ['GOAWAY of no request (§7.2.6)', 'client', `${settings} 070101`, Code.IdError],
    ['GOAWAY of the largest id (§5.2)', 'client', `${settings} 0708 fffffffffffffffc`, undefined],
    ['GOAWAY at a server is a push id', 'server', `${settings} 070103`, undefined],
    ['GOAWAY at a server goes up', 'server', `${settings} 070100 070101`, Code.IdError],
    ['GOAWAY too long (§7.1)', 'client', `${settings} 07020404`, Code.FrameError],
    ['GOAWAY far too long', 'client', `${settings} 0709`, Code.FrameError],
    ['GOAWAY cut short', 'client', `${settings} 070140`, Code.FrameError],
    ['GOAWAY empty', 'client', `${settings} 0700`, Code.FrameError],
    ['MAX_PUSH_ID (§7.2.7)', 'server', `${settings} 0d0102 0d0102 0d0103`, undefined],
    ['MAX_PUSH_ID goes down', 'server', `${settings} 0d0102 0d0101`, Code.IdError],
    ['MAX_PUSH_ID at a client', 'client', `${settings} 0d0102`, Code.FrameUnexpected],
    ['PRIORITY_UPDATE (RFC 9218 §7.2)', 'server', `${settings} 800f0700 04 00 753d30`, undefined],
    ['PRIORITY_UPDATE of no request', 'server', `${settings} 800f0700 01 01`, Code.IdError],
    ['PRIORITY_UPDATE of a push', 'server', `${settings} 800f0701 01 00`, Code.IdError],
    ['PRIORITY_UPDATE at a client', 'client', `${settings} 800f0700 01 00`, Code.FrameUnexpected],
    ['PRIORITY_UPDATE too long', 'server', `${settings} 800f0700 4101`, Code.ExcessiveLoad],
    ['push stream at a server (§6.2.2)', 'server', '01 00', Code.StreamCreationError],
    ['push stream at a client (§4.6)', 'client', '01 00', Code.IdError],
    ['QPACK encoder stream', 'server', '02 20', undefined],
    ['QPACK encoder stream that inserts', 'server', '02 c00161', Code.QpackEncoderStreamError],
    ['QPACK decoder stream', 'server', '03 44', undefined],
    ['QPACK decoder stream that acknowledges', 'server', '03 80', Code.QpackDecoderStreamError],
    ['type in a long form', 'server', '4000 0400', undefined],
  ]
  for (const size of [1000, 1]) {
    test.each(cases)(`%s, at a %s (pieces of ${size})`, (_, role, data, code) => {
      const raw = new Raw(role)
      raw.them.pieceSize = size
      raw.open('uni', data)
      expect(raw.code).toBe(code)
    })
  }

  test.each(['00', '02', '03'])('a second stream of type %s: H3_STREAM_CREATION_ERROR', type => {
    const raw = new Raw('server')
    raw.open('uni', type)
    expect(raw.code).toBeUndefined()
    raw.open('uni', type)
    expect(raw.code).toBe(Code.StreamCreationError)
  })
  test.each(['00 0400', '02', '03 44'])('the end of %s: H3_CLOSED_CRITICAL_STREAM', data => {
    const ended = new Raw('server')
    ended.open('uni', data, true)
    expect(ended.code).toBe(Code.ClosedCriticalStream)
    const reset = new Raw('server')
    reset.them.reset(reset.open('uni', data), 0)
    reset.pair.step()
    expect(reset.code).toBe(Code.ClosedCriticalStream)
  })
  test('§6.2.3: an unknown type is refused, and no fault', () => {
    const raw = new Raw('server')
    const id = raw.open('uni', '21 aabb')
    expect(raw.us.stops).toEqual([[id, Code.StreamCreationError]])
    raw.write(id, 'cc', true)
    expect(raw.code).toBeUndefined()
  })
  test('§6.2: a stream may end before its type', () => {
    const raw = new Raw('server')
    raw.open('uni', '', true)
    raw.open('uni', '40', true)
    raw.them.reset(raw.open('uni', '40'), 0)
    raw.pair.step()
    expect(raw.code).toBeUndefined()
  })
  test('§6.1: a server opens no bidirectional streams: H3_STREAM_CREATION_ERROR', () => {
    const raw = new Raw('client')
    raw.open('bidi', '00')
    expect(raw.code).toBe(Code.StreamCreationError)
  })
})

describe('RFC 9114 §4.1: request streams, by their bytes', () => {
  const connectionErrors: [string, string, boolean, number][] = [
    ['DATA first', '0001 61', false, Code.FrameUnexpected],
    ['trailers without a QPACK prefix', `${get} 0100 0000`, false, Code.QpackDecompressionFailed],
    ['DATA after trailers', `${get} 0102 0000 000161`, false, Code.FrameUnexpected],
    ['HEADERS after trailers', `${get} 0102 0000 0102 0000`, false, Code.FrameUnexpected],
    ['SETTINGS', '0400', false, Code.FrameUnexpected],
    ['GOAWAY', `${get} 070100`, false, Code.FrameUnexpected],
    ['MAX_PUSH_ID', '0d0100', false, Code.FrameUnexpected],
    ['CANCEL_PUSH', '030100', false, Code.FrameUnexpected],
    ['PUSH_PROMISE', '0500', false, Code.FrameUnexpected],
    ['PRIORITY_UPDATE', '800f0700 0100', false, Code.FrameUnexpected],
    ['a frame of HTTP/2', '0800', false, Code.FrameUnexpected],
    ['QPACK that cannot be', '0103 0000 80', false, Code.QpackDecompressionFailed],
    ['end within a frame header (§7.1)', '01', true, Code.FrameError],
    ['end within HEADERS', '0108 0000', true, Code.FrameError],
    ['end within DATA', `${get} 0002 61`, true, Code.FrameError],
    ['end within an unknown frame', '2102 61', true, Code.FrameError],
  ]
  for (const size of [1000, 1]) {
    test.each(connectionErrors)(`connection error: %s (pieces of ${size})`, (_, data, fin, code) => {
      const raw = new Raw('server')
      raw.them.pieceSize = size
      const sink = raw.us.sink
      // Somebody reads the content.
      raw.us.sink = {
        onEvent: event => {
          raw.connection.onEvent(event)
          for (let fact = raw.connection.poll(); fact; fact = raw.connection.poll()) {
            if ('stream' in fact) while (fact.stream.read() !== undefined);
          }
        },
      }
      expect(sink).toBeDefined()
      raw.open('bidi', data, fin)
      expect(raw.code).toBe(code)
    })
  }

  const streamErrors: [string, string, number][] = [
    ['no request at all', '', Code.RequestIncomplete],
    ['only unknown frames', '2100', Code.RequestIncomplete],
    ['no pseudo-header fields', '0102 0000', Code.MessageError],
    ['upper case', '01 0c 0000 d1 d7 5001 61 c1 21 41 0161', Code.MessageError],
    // content-length: 5 is literal with name reference 4.
    ['content-length without content', '01 0b 0000 d1 d7 5001 61 c1 540135', Code.MessageError],
    ['content-length too large', '01 0b 0000 d1 d7 5001 61 c1 540135 0004 61616161', Code.MessageError],
    ['content-length too small', '01 0b 0000 d1 d7 5001 61 c1 540135 0006', Code.MessageError],
    ['content-length, then trailers', '01 0b 0000 d1 d7 5001 61 c1 540135 000161 0102 0000', Code.MessageError],
    ['pseudo-header fields in trailers', `${get} 0103 0000 d1`, Code.MessageError],
  ]
  test.each(streamErrors)('stream error: %s', (_, data, code) => {
    const raw = new Raw('server')
    raw.us.sink = {
      onEvent: event => {
        raw.connection.onEvent(event)
        for (let fact = raw.connection.poll(); fact; fact = raw.connection.poll()) {
          if ('stream' in fact) while (fact.stream.read() !== undefined);
        }
      },
    }
    const id = raw.open('bidi', data, !data.endsWith('0006'))
    expect(raw.code).toBeUndefined()
    expect(raw.us.resets).toEqual([[id, code]])
    expect(raw.connection.requestCount).toBe(0)
  })

  test('§4.1.2: a request that is wrong already is seen by nobody', () => {
    const raw = new Raw('server')
    raw.open('bidi', '01 0b 0000 d1 d7 5001 61 c1 540135', true)
    expect(raw.events).not.toContain('head')
  })
  test('unknown frames before, between and after are skipped', () => {
    const raw = new Raw('server')
    raw.open('bidi', `2103aabbcc ${get} 2100 000161 4021 02 0102`, true)
    expect(raw.events.slice(0, 1)).toEqual(['head'])
    expect(raw.code).toBeUndefined()
  })
  test('PUSH_PROMISE at a client: H3_ID_ERROR', () => {
    const raw = new Raw('client')
    raw.connection.openRequest([[':method', 'GET']], undefined, true)
    raw.write(0, '0503 00 0000')
    expect(raw.code).toBe(Code.IdError)
  })
  test('interim responses are bounded', () => {
    const raw = new Raw('client')
    const stream = raw.connection.openRequest([[':method', 'GET']], undefined, false)
    // :status 103 is static entry 24.
    for (let i = 0; i < 16; i++) raw.write(0, '0103 0000 d8')
    expect(raw.events.filter(type => type === 'interim').length).toBe(16)
    raw.write(0, '0103 0000 d8')
    expect(raw.us.resets).toEqual([[0, Code.ExcessiveLoad]])
    expect(stream?.error).toMatchObject({ code: Code.ExcessiveLoad })
  })
  test('a response that ends before it began is malformed', () => {
    const raw = new Raw('client')
    const stream = raw.connection.openRequest([[':method', 'GET']], undefined, true)
    raw.write(0, '', true)
    expect(stream?.error).toMatchObject({ code: Code.MessageError })
  })
  test('204 with content is malformed', () => {
    const raw = new Raw('client')
    const stream = raw.connection.openRequest([[':method', 'GET']], undefined, true)
    raw.write(0, '0104 0000 ff01 000161')
    expect(stream?.error).toMatchObject({ code: Code.MessageError })
  })
  test('content after an interim response: H3_FRAME_UNEXPECTED', () => {
    const raw = new Raw('client')
    raw.connection.openRequest([[':method', 'GET']], undefined, true)
    raw.write(0, '0103 0000 d8 000161')
    expect(raw.code).toBe(Code.FrameUnexpected)
  })
})

describe('bounds', () => {
  const flood = (data: Uint8Array): Uint8Array => concat(...new Array<Uint8Array>(MAX_GLITCHES + 1).fill(data))
  test('unknown frames on the control stream: H3_EXCESSIVE_LOAD', () => {
    const raw = new Raw('server')
    raw.open('uni', concat(bytes(settings), flood(bytes('2100'))))
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('unknown frames, and empty DATA, on a request', () => {
    for (const frame of ['2100', '0000']) {
      const raw = new Raw('server')
      raw.open('bidi', concat(bytes(get), flood(bytes(frame))))
      expect(raw.code).toBe(Code.ExcessiveLoad)
    }
  })
  test('QPACK instructions that say nothing', () => {
    const raw = new Raw('server')
    raw.open('uni', concat(bytes('02'), new Uint8Array(limits.qpackInstructions).fill(0x20)))
    expect(raw.code).toBeUndefined()
    raw.write(2, '20')
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('QPACK cancellations of nothing', () => {
    const raw = new Raw('server')
    raw.open('uni', concat(bytes('03'), flood(bytes('40'))))
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('unknown streams', () => {
    const raw = new Raw('server')
    raw.them.streamLimit.uni = 2000
    for (let i = 0; i <= MAX_GLITCHES && raw.code === undefined; i++) raw.open('uni', '21')
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('resets of requests', () => {
    const raw = new Raw('server')
    raw.them.streamLimit.bidi = 2000
    for (let i = 0; i <= MAX_GLITCHES && raw.code === undefined; i++) raw.them.reset(raw.open('bidi', '01'), 0x10c)
    while (raw.pair.step());
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('malformed requests', () => {
    const raw = new Raw('server')
    raw.them.streamLimit.bidi = 2000
    for (let i = 0; i <= MAX_GLITCHES && raw.code === undefined; i++) raw.open('bidi', '0102 0000', true)
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('what is useful pays for what is not', () => {
    const raw = new Raw('server')
    raw.open('uni', concat(bytes(settings), flood(bytes('2100')).subarray(0, 2 * MAX_GLITCHES)))
    expect(raw.code).toBeUndefined()
    for (let i = 0; i < 50; i++) raw.open('bidi', get, true)
    raw.write(2, flood(bytes('2100')).subarray(0, 100))
    expect(raw.code).toBeUndefined()
    raw.write(2, '2100')
    expect(raw.code).toBe(Code.ExcessiveLoad)
  })
  test('trailers and interim responses have no more fields than headers may have', () => {
    // content-length: 0, static entry 4, once more than `limits.fields` allows.
    const tooMany = bytes('c4'.repeat(257))
    const server = new Raw('server')
    const id = server.open('bidi', get)
    server.write(id, concat(bytes('01 4103 0000'), tooMany), true)
    server.readAll()
    expect(server.us.resets).toEqual([[id, Code.ExcessiveLoad]])
    const client = new Raw('client')
    const stream = client.connection.openRequest([[':method', 'GET']], undefined, true)
    client.write(0, concat(bytes('01 4104 0000 d8'), tooMany))
    expect(stream?.error).toMatchObject({ code: Code.ExcessiveLoad })
  })
  test('priorities of requests that never come', () => {
    const raw = new Raw('server')
    raw.open('uni', settings)
    for (let i = 0; i < 2 * limits.earlyPriorities; i++) {
      const id = hex(Uint8Array.of(0x40 | ((4 * i) >> 8), 4 * i))
      raw.write(2, `800f0700 05 ${id} 753d30`)
    }
    expect(raw.code).toBeUndefined()
    for (let i = 0; i < 100; i++) raw.open('bidi', get, true)
    expect(raw.us.priorities.filter(([id]) => id % 4 === 0).length).toBe(limits.earlyPriorities)
  })
})

describe('RFC 9218: priorities reach the transport', () => {
  test('by frame before, which the field does not change, and by frame after', () => {
    const raw = new Raw('server')
    raw.open('uni', `${settings} 800f0700 04 00 753d30`)
    // priority: u=1, i as a literal field.
    const head = concat(bytes('0000 d1 d7 5001 61 c1'), bytes('27 01'), Buffer.from('priority\x06u=1, i'))
    raw.open('bidi', concat(Uint8Array.of(1, head.length), head))
    raw.write(2, '800f0700 04 00 753d35')
    expect(raw.us.priorities.filter(([id]) => id === 0)).toEqual([
      [0, 0, false],
      [0, 5, false],
    ])
  })
})

describe('RFC 9114 §7.2.4.2: remembered settings', () => {
  const remembered = bytes('06 4064')
  test('hold until the real ones come', () => {
    const raw = new Raw('client', remembered)
    expect(raw.connection.peerSettings.maxFieldSectionSize).toBe(100)
    expect(() => raw.connection.openRequest([['x', 'y'.repeat(100)]], undefined, true)).toThrow(RangeError)
    raw.open('uni', '00 0403 06 4400')
    expect(raw.connection.peerSettings.maxFieldSectionSize).toBe(1024)
    expect(hex(raw.connection.peerSettingsBytes as Uint8Array)).toBe('064400')
    expect(raw.events).toContain('settings')
  })
  test('reduced: H3_SETTINGS_ERROR', () => {
    const raw = new Raw('client', remembered)
    raw.open('uni', '00 0402 06 01')
    expect(raw.code).toBe(Code.SettingsError)
  })
  test('are forgotten when early data is refused', () => {
    const raw = new Raw('client', remembered)
    raw.connection.onEvent({ type: 'earlyRejected' })
    expect(raw.connection.peerSettings.maxFieldSectionSize).toBe(Number.POSITIVE_INFINITY)
    raw.open('uni', '00 0402 06 01')
    expect(raw.code).toBeUndefined()
  })
  test('that cannot be read are none', () => {
    expect(new Raw('client', bytes('06')).connection.peerSettings.maxFieldSectionSize).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('the door below fetch', () => {
  test('a request and a response with interim, content and trailers', () => {
    const pair = new FakePair()
    const client = new Http3Connection(pair.client, { role: 'client' })
    const server = new Http3Connection(pair.server, { role: 'server' })
    pair.client.sink = client
    pair.server.sink = server
    const request = client.openRequest(
      [
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'a'],
        [':path', '/x'],
      ],
      bytes('01'),
      false,
    )
    expect(request).toBeDefined()
    request?.write(bytes('0203'))
    request?.writeTrailers([['x-sum', '6']])
    while (pair.step());
    const event = server.poll()
    expect(event?.type).toBe('head')
    if (event?.type !== 'head') return
    const { stream } = event
    expect(stream.request?.path).toBe('/x')
    expect(hex(stream.read() as Uint8Array)).toBe('01')
    expect(hex(stream.read() as Uint8Array)).toBe('0203')
    expect(stream.read()).toBeUndefined()
    expect(stream.isEnded).toBe(true)
    expect(stream.trailers).toEqual([['x-sum', '6']])

    expect(() => stream.write(bytes('01'))).toThrow(TypeError)
    expect(() => stream.writeTrailers([['a', 'b']])).toThrow(TypeError)
    stream.writeHead([[':status', '103']])
    expect(stream.hasSentHead).toBe(false)
    stream.writeHead([[':status', '200']])
    stream.write(new Uint8Array(10_000))
    stream.end()
    expect(() => stream.end()).toThrow(TypeError)
    expect(server.requestCount).toBe(0)
    expect(server.isDelivered).toBe(false)
    while (pair.step());
    expect(server.isDelivered).toBe(true)
    const types: string[] = []
    for (let fact = client.poll(); fact; fact = client.poll()) types.push(fact.type)
    expect(types).toEqual(['delivered', 'settings', 'interim', 'head'])
    let length = 0
    for (let piece = request?.read(); piece; piece = request?.read()) length += piece.length
    expect(length).toBe(10_000)
    expect(request?.isEnded).toBe(true)
    expect(client.requestCount).toBe(0)
  })

  test('a caller that asks for the impossible', () => {
    const raw = new Raw('server')
    expect(() => raw.connection.openRequest([], undefined, true)).toThrow(TypeError)
    const client = new Raw('client')
    expect(() => client.connection.openRequest([['X', '']], undefined, true)).toThrow(TypeError)
    expect(client.connection.requestCount).toBe(0)
    client.connection.close()
    expect(client.connection.openRequest([], undefined, true)).toBeUndefined()
    expect(client.us.closedWith?.code).toBe(Code.NoError)
    client.connection.close()
    client.connection.goaway()
    client.connection.onEvent({ type: 'streamOpened', id: 3 })
  })

  test('writing to a stream the transport has closed goes nowhere', () => {
    const raw = new Raw('client')
    const stream = raw.connection.openRequest([[':method', 'POST']], undefined, false)
    raw.us.flow(0).isClosed = true
    expect(stream?.write(bytes('01'))).toBe(0)
    expect(stream?.isWritable).toBe(false)
    expect(stream?.write(bytes('01'))).toBe(0)
  })

  test('a transport that throws is an internal error, and not ours to throw', () => {
    const raw = new Raw('server')
    raw.us.read = () => {
      throw new Error('broken')
    }
    raw.open('bidi', get)
    expect(raw.code).toBe(Code.InternalError)
  })
})
