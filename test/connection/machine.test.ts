// Every state of a connection and everything that can happen to it: packets of all levels, strangers' datagrams, time,
// the verbs of the application. Nothing throws but what a docstring promises, and verbs after the end do nothing.

import { describe, expect, test } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import type { CryptoBackend } from '../../src/crypto/backend.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { offeredPsk } from '../../src/zero-rtt/resumption.ts'
import { bytes } from '../conformance/bytes-by-hand.ts'
import {
  HandMadeClient,
  type HandMadePeer,
  HandMadeServer,
  serverAddress,
  strangeAddress,
} from '../conformance/hand-made-peer.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import { fastBackend } from '../sim/fast-backend.ts'
import { testTime } from '../support/certificates.ts'
import { provisioned } from './early.ts'

const states = [
  'initial',
  'handshake',
  'complete',
  'confirmed',
  'updating',
  'moving',
  'closing',
  'draining',
  'terminated',
] as const
type State = (typeof states)[number]
type Role = 'client' | 'server'

const token = new Uint8Array(16).fill(9)

/** A peer of a connection in that state; undefined: that role has no such state. */
function reach(role: Role, state: State): HandMadePeer | undefined {
  const random = seededRandom(1)
  const backend = fastBackend(length => randomBytes(random, length), false)
  const transport = { maxDatagramFrameSize: 1000 }
  const parameters = { maxDatagramFrameSize: 1000, ...(role === 'client' && { statelessResetToken: token }) }
  const peer =
    role === 'client' ? new HandMadeServer({ backend, transport, parameters }) : earlyClient(backend, parameters)
  if (state === 'initial') return peer
  if (state === 'handshake') return peer.reach('handshake')
  // A server's handshake is confirmed as soon as it is complete.
  if (state === 'complete') return role === 'server' ? undefined : peer.reach('complete')
  peer.reach('confirmed').act(connection => connection.openStream('bidi'))
  const ids = [1, 2].map(n =>
    bytes(FrameType.NewConnectionId, n, 0, Uint8Array.of(8), new Uint8Array(8).fill(n), new Uint8Array(16).fill(n)),
  )
  for (const frame of ids) peer.send(Level.OneRtt, frame)
  // Everything is acknowledged, so that keys may be updated.
  peer.send(Level.OneRtt, bytes(FrameType.Ack, Math.max(...numbers(peer)), 0, 0, 0))
  if (state === 'updating') peer.act(connection => expect(connection.updateKeys()).toBe(true))
  if (state === 'moving' && role === 'client') peer.act(connection => connection.migrate({ ...serverAddress, via: 1 }))
  if (state === 'moving' && role === 'server') peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress)
  if (state === 'closing' || state === 'terminated') peer.act(connection => connection.close(77, 'bye'))
  if (state === 'draining') peer.send(Level.OneRtt, bytes(FrameType.ApplicationClose, 5, 0))
  if (state === 'terminated') peer.pass(60_000)
  return peer
}

function earlyClient(backend: CryptoBackend, parameters: object): HandMadeClient {
  const { resumption, server } = provisioned({ maxDatagramFrameSize: 1000 })
  return new HandMadeClient({ backend, server, parameters, psk: offeredPsk(resumption, testTime, true) })
}

function numbers(peer: HandMadePeer): number[] {
  return peer.heard.filter(({ level }) => level === Level.OneRtt).map(({ number }) => number)
}

const ping = bytes(FrameType.Ping, new Uint8Array(3))
/** The stream that was opened, where there could be one. */
const known = (connection: Connection): number => (connection.isClient ? 0 : 1)

/** What happens, and what comes back. */
type Event = (peer: HandMadePeer, connection: Connection) => unknown

function packet(level: Level, plaintext: Uint8Array = ping): Event {
  return (peer, connection) => {
    if (!peer.keys.canSeal(level)) return '-'
    return counted(connection, () => peer.send(level, plaintext))
  }
}

function datagram(make: (peer: HandMadePeer) => Uint8Array): Event {
  return (peer, connection) => counted(connection, () => peer.deliver(make(peer)))
}

/** What a datagram was for the connection: taken, kept for later, dropped, or not even looked at. */
function counted(connection: Connection, act: () => void): string {
  const { packetsReceived, packetsDropped, packetsParked } = connection.stats
  act()
  const { stats } = connection
  if (stats.packetsReceived > packetsReceived) return 'taken'
  if (stats.packetsParked > packetsParked) return 'kept'
  return stats.packetsDropped > packetsDropped ? 'dropped' : 'ignored'
}

const events: Record<string, Event> = {
  'Initial packet': packet(Level.Initial),
  '0-RTT packet': packet(Level.ZeroRtt),
  'Handshake packet': packet(Level.Handshake),
  '1-RTT packet': packet(Level.OneRtt),
  '1-RTT packet from elsewhere': (peer, connection) => {
    if (!peer.keys.canSeal(Level.OneRtt)) return '-'
    return counted(connection, () => peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress))
  },
  'a packet that breaks a rule': packet(Level.OneRtt, bytes(0x21, new Uint8Array(3))),
  CONNECTION_CLOSE: packet(Level.OneRtt, bytes(FrameType.ConnectionClose, 0, 0, 0)),
  'CONNECTION_CLOSE, Handshake packet': packet(Level.Handshake, bytes(FrameType.ConnectionClose, 0, 0, 0)),
  Retry: datagram(peer => (peer instanceof HandMadeServer ? peer.retryPacket(token) : new Uint8Array(40).fill(0xf0))),
  'Version Negotiation': datagram(peer =>
    peer instanceof HandMadeServer ? peer.versionNegotiation([0x6b3343cf]) : new Uint8Array(40).fill(0x80),
  ),
  garbage: datagram(() => new Uint8Array(60).fill(0x55)),
  'an empty datagram': datagram(() => new Uint8Array(0)),
  'stateless reset': datagram(() => Uint8Array.of(0x40, ...new Uint8Array(30), ...token)),
  'stray stateless reset': (_, connection) =>
    connection.receiveStray(Uint8Array.of(0x40, ...new Uint8Array(30), ...token), 1),
  'onTimeout, early': (peer, connection) => connection.onTimeout(peer.now),
  'onTimeout, due': peer => void peer.pass(Math.min(peer.connection.nextTimeout() - peer.now, 1000)),
  silence: peer => void peer.pass(120_000),
  transmit: (peer, connection) => connection.transmit(new Uint8Array(1500), peer.now),
  'transmit into little': (peer, connection) => connection.transmit(new Uint8Array(100), peer.now),
  poll: (_, connection) => connection.poll(),
  openStream: (_, connection) => connection.openStream('uni'),
  write: (_, connection) => connection.write(known(connection), new Uint8Array(10), false) > 0,
  'write, unknown stream': (_, connection) => connection.write(400, new Uint8Array(10), false),
  read: (_, connection) => connection.read(known(connection)),
  reset: (_, connection) => connection.reset(known(connection), 1),
  resetAt: (_, connection) => connection.resetAt(known(connection), 1, 0),
  'reset, unknown stream': (_, connection) => connection.reset(400, 1),
  stop: (_, connection) => connection.stop(known(connection), 1),
  'stop, unknown stream': (_, connection) => connection.stop(400, 1),
  setPriority: (_, connection) => connection.setPriority(known(connection), 1, false),
  'setPriority out of range': (_, connection) => connection.setPriority(known(connection), 9, false),
  sendDatagram: (_, connection) => connection.sendDatagram(new Uint8Array(10)),
  'sendDatagram, too large': (_, connection) => connection.sendDatagram(new Uint8Array(5000)),
  updateKeys: (_, connection) => connection.updateKeys(),
  migrate: (_, connection) => connection.migrate({ ...serverAddress, via: 2 }),
  close: (_, connection) => connection.close(3, 'over'),
  shed: (peer, connection) => connection.shed(peer.now),
  exportKeyingMaterial: (_, connection) => connection.exportKeyingMaterial('label', new Uint8Array(0), 32).length,
  onDatagramTooLarge: (peer, connection) => connection.onDatagramTooLarge(1200, peer.from, peer.now),
  statistics: (_, connection) => typeof connection.statistics(),
  diagnostics: (_, connection) => typeof connection.diagnostics,
}

function outcome(role: Role, state: State, event: Event): string {
  const peer = reach(role, state)
  if (peer === undefined) return '-'
  const { connection } = peer
  let result: unknown
  try {
    result = event(peer, connection)
  } catch (error) {
    result = (error as Error).name
  }
  if (result === '-') return '-'
  peer.listen()
  const now = stateOf(connection, peer)
  const said = result === undefined ? '' : typeof result === 'object' ? 'some' : String(result)
  return said === '' ? now : `${said}, ${now}`
}

function stateOf(connection: Connection, peer: HandMadePeer): string {
  const closed = peer.events.find(event => event.type === 'closed')
  const code = closed?.type === 'closed' && closed.by === 'local' ? ` ${closed.errorCode}` : ''
  if (connection.isTerminated) return 'terminated'
  if (closed?.type === 'closed') return closed.by === 'local' ? `closing${code}` : 'draining'
  if (!connection.isHandshakeComplete) return 'open'
  return connection.isHandshakeConfirmed ? 'confirmed' : 'complete'
}

/** For each state what comes back, if anything does, and the state that follows; or -, where role or keys are missing. */
const table: Record<Role, Record<string, string>> = {
  client: {
    'Initial packet':
      'taken, open | taken, open | dropped, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '0-RTT packet': '- | - | - | - | - | - | - | - | -',
    'Handshake packet':
      'kept, open | taken, open | taken, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '1-RTT packet':
      'kept, open | kept, open | taken, complete | taken, confirmed | taken, confirmed | taken, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '1-RTT packet from elsewhere':
      'dropped, open | dropped, open | dropped, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'a packet that breaks a rule':
      'kept, open | kept, open | taken, closing 7 | taken, closing 7 | taken, closing 7 | taken, closing 7 | ignored, closing 77 | ignored, draining | ignored, terminated',
    CONNECTION_CLOSE:
      'kept, open | kept, open | taken, draining | taken, draining | taken, draining | taken, draining | ignored, closing 77 | ignored, draining | ignored, terminated',
    'CONNECTION_CLOSE, Handshake packet':
      'kept, open | taken, draining | taken, draining | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    Retry:
      'ignored, open | dropped, open | dropped, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'Version Negotiation':
      'ignored, terminated | dropped, open | dropped, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    garbage:
      'kept, open | kept, open | dropped, complete | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'an empty datagram':
      'ignored, open | ignored, open | ignored, complete | ignored, confirmed | ignored, confirmed | ignored, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'stateless reset':
      'kept, open | kept, open | dropped, draining | dropped, draining | dropped, draining | dropped, draining | ignored, closing 77 | ignored, draining | ignored, terminated',
    'stray stateless reset':
      'false, open | false, open | true, draining | true, draining | true, draining | true, draining | false, closing 77 | false, draining | false, terminated',
    'onTimeout, early':
      'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'onTimeout, due': 'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    silence:
      'terminated | terminated | terminated | terminated | terminated | terminated | terminated | terminated | terminated',
    transmit: 'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'transmit into little':
      'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    poll: 'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    openStream:
      'open | open | 2, complete | 2, confirmed | 2, confirmed | 2, confirmed | closing 77 | draining | terminated',
    write:
      'RangeError, open | RangeError, open | RangeError, complete | true, confirmed | true, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    'write, unknown stream':
      'RangeError, open | RangeError, open | RangeError, complete | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | 0, closing 77 | 0, draining | 0, terminated',
    read: 'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    reset:
      'RangeError, open | RangeError, open | RangeError, complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    resetAt:
      'false, open | false, open | false, complete | false, confirmed | false, confirmed | false, confirmed | false, closing 77 | false, draining | false, terminated',
    'reset, unknown stream':
      'RangeError, open | RangeError, open | RangeError, complete | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | closing 77 | draining | terminated',
    stop: 'RangeError, open | RangeError, open | RangeError, complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'stop, unknown stream':
      'RangeError, open | RangeError, open | RangeError, complete | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | closing 77 | draining | terminated',
    setPriority: 'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'setPriority out of range':
      'RangeError, open | RangeError, open | RangeError, complete | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | RangeError, closing 77 | RangeError, draining | RangeError, terminated',
    sendDatagram:
      'false, open | false, open | true, complete | true, confirmed | true, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    'sendDatagram, too large':
      'false, open | false, open | false, complete | false, confirmed | false, confirmed | false, confirmed | false, closing 77 | false, draining | false, terminated',
    updateKeys:
      'false, open | false, open | false, complete | true, confirmed | false, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    migrate:
      'unconfirmed, open | unconfirmed, open | unconfirmed, complete | confirmed | confirmed | moving, confirmed | unconfirmed, closing 77 | unconfirmed, draining | unconfirmed, terminated',
    close: 'closing 3 | closing 3 | closing 3 | closing 3 | closing 3 | closing 3 | closing 77 | draining | terminated',
    shed: 'closing 1 | closing 1 | closing 1 | closing 1 | closing 1 | closing 1 | closing 77 | draining | terminated',
    exportKeyingMaterial:
      'TypeError, open | TypeError, open | 32, complete | 32, confirmed | 32, confirmed | 32, confirmed | 32, closing 77 | 32, draining | 32, terminated',
    onDatagramTooLarge:
      'open | open | complete | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    statistics:
      'object, open | object, open | object, complete | object, confirmed | object, confirmed | object, confirmed | object, closing 77 | object, draining | object, terminated',
    diagnostics:
      'object, open | object, open | object, complete | object, confirmed | object, confirmed | object, confirmed | object, closing 77 | object, draining | object, terminated',
  },
  server: {
    'Initial packet':
      'taken, open | taken, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '0-RTT packet':
      'kept, open | taken, open | - | taken, confirmed | taken, confirmed | taken, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'Handshake packet':
      '- | taken, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '1-RTT packet':
      '- | kept, open | - | taken, confirmed | taken, confirmed | taken, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    '1-RTT packet from elsewhere':
      '- | kept, open | - | taken, confirmed | taken, confirmed | taken, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'a packet that breaks a rule':
      '- | kept, open | - | taken, closing 7 | taken, closing 7 | taken, closing 7 | ignored, closing 77 | ignored, draining | ignored, terminated',
    CONNECTION_CLOSE:
      '- | kept, open | - | taken, draining | taken, draining | taken, draining | ignored, closing 77 | ignored, draining | ignored, terminated',
    'CONNECTION_CLOSE, Handshake packet':
      '- | taken, draining | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    Retry:
      'dropped, open | dropped, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'Version Negotiation':
      'dropped, open | dropped, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    garbage:
      'kept, open | kept, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'an empty datagram':
      'ignored, open | ignored, open | - | ignored, confirmed | ignored, confirmed | ignored, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'stateless reset':
      'kept, open | kept, open | - | dropped, confirmed | dropped, confirmed | dropped, confirmed | ignored, closing 77 | ignored, draining | ignored, terminated',
    'stray stateless reset':
      'false, open | false, open | - | false, confirmed | false, confirmed | false, confirmed | false, closing 77 | false, draining | false, terminated',
    'onTimeout, early': 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'onTimeout, due': 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    silence:
      'terminated | terminated | - | terminated | terminated | terminated | terminated | terminated | terminated',
    transmit: 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'transmit into little': 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    poll: 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    openStream: 'open | 3, open | - | 3, confirmed | 3, confirmed | 3, confirmed | closing 77 | draining | terminated',
    write:
      'RangeError, open | RangeError, open | - | true, confirmed | true, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    'write, unknown stream':
      'RangeError, open | RangeError, open | - | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | 0, closing 77 | 0, draining | 0, terminated',
    read: 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    reset:
      'RangeError, open | RangeError, open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    resetAt:
      'false, open | false, open | - | false, confirmed | false, confirmed | false, confirmed | false, closing 77 | false, draining | false, terminated',
    'reset, unknown stream':
      'RangeError, open | RangeError, open | - | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | closing 77 | draining | terminated',
    stop: 'RangeError, open | RangeError, open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'stop, unknown stream':
      'RangeError, open | RangeError, open | - | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | closing 77 | draining | terminated',
    setPriority: 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    'setPriority out of range':
      'RangeError, open | RangeError, open | - | RangeError, confirmed | RangeError, confirmed | RangeError, confirmed | RangeError, closing 77 | RangeError, draining | RangeError, terminated',
    sendDatagram:
      'false, open | true, open | - | true, confirmed | true, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    'sendDatagram, too large':
      'false, open | false, open | - | false, confirmed | false, confirmed | false, confirmed | false, closing 77 | false, draining | false, terminated',
    updateKeys:
      'false, open | false, open | - | true, confirmed | false, confirmed | true, confirmed | false, closing 77 | false, draining | false, terminated',
    migrate:
      'server, open | server, open | - | server, confirmed | server, confirmed | server, confirmed | server, closing 77 | server, draining | server, terminated',
    close: 'closing 3 | closing 3 | - | closing 3 | closing 3 | closing 3 | closing 77 | draining | terminated',
    shed: 'closing 1 | closing 1 | - | closing 1 | closing 1 | closing 1 | closing 77 | draining | terminated',
    exportKeyingMaterial:
      'TypeError, open | TypeError, open | - | 32, confirmed | 32, confirmed | 32, confirmed | 32, closing 77 | 32, draining | 32, terminated',
    onDatagramTooLarge: 'open | open | - | confirmed | confirmed | confirmed | closing 77 | draining | terminated',
    statistics:
      'object, open | object, open | - | object, confirmed | object, confirmed | object, confirmed | object, closing 77 | object, draining | object, terminated',
    diagnostics:
      'object, open | object, open | - | object, confirmed | object, confirmed | object, confirmed | object, closing 77 | object, draining | object, terminated',
  },
}

describe.each(['client', 'server'] as const)('RFC 9000 §5, §10: a %s', role => {
  test('has a cell for every event in every state', () => {
    expect(Object.keys(table[role])).toEqual(Object.keys(events))
    for (const row of Object.values(table[role])) expect(row.split(' | ')).toHaveLength(states.length)
  })

  for (const [name, event] of Object.entries(events)) {
    test(name, () => {
      expect(states.map(state => outcome(role, state, event)).join(' | ')).toBe(table[role][name])
    })
  }
})
