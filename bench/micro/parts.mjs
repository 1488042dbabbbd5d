// A ClientHello read, field sections, the window against replay.

import { deepEqual, equal } from 'node:assert/strict'
import { QpackDecoder } from '../../dist/http3/qpack/decoder.js'
import { QpackEncoder } from '../../dist/http3/qpack/encoder.js'
import { readClientHello } from '../../dist/tls13/messages/client-hello.js'
import { Message } from '../../dist/tls13/messages/handshake.js'
import { ReplayWindow } from '../../dist/zero-rtt/replay-window.js'
import { captureClientHello } from './handshakes.mjs'

const fields = Object.entries({
  ':method': 'GET',
  ':scheme': 'https',
  ':authority': 'worker.example:8443',
  ':path': '/functions/resize?width=200',
  accept: '*/*',
  'user-agent': 'zerotrip/0.1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
})

const decoderLimits = { maxFieldSectionSize: 65_536, maxFields: 256, maxTableCapacity: 0, maxBlockedStreams: 0 }

export function subjects() {
  return [clientHello(), ...qpack(), replay()]
}

function clientHello() {
  const bytes = captureClientHello()
  const read = () => readClientHello(new Message(bytes))
  return {
    name: `ClientHello of ${bytes.length} bytes read`,
    run: read,
    check() {
      equal(read().serverName, 'localhost')
      deepEqual(read().alpn.includes('h3'), true)
    },
  }
}

function qpack() {
  const encoder = new QpackEncoder()
  const decoder = new QpackDecoder(decoderLimits)
  const section = encoder.encode(fields).slice()
  const decode = () => decoder.decode(section)
  return [
    {
      name: 'QPACK, 7 fields encoded',
      run: () => encoder.encode(fields).length,
      check: () => equal(encoder.encode(fields).length, section.length),
    },
    {
      name: 'QPACK, 7 fields decoded',
      run: decode,
      check: () => deepEqual(decode(), fields),
    },
  ]
}

function replay() {
  let counter = 0
  const window = new ReplayWindow()
  return {
    name: 'replay window, the next counter',
    run: () => window.accept(counter++),
    check() {
      equal(window.accept(counter), true)
      equal(window.accept(counter++), false)
    },
  }
}
