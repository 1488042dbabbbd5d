// Connection ids, ours and the peer's (RFC 9000 §5.1, §10.3, §19.15-16).

import { describe, expect, test } from 'vitest'
import { Writer } from '../../src/bytes/writer.ts'
import { LocalIds, MAX_LOCAL_IDS } from '../../src/connection/local-ids.ts'
import type { Address } from '../../src/connection/path.ts'
import { MAX_UNACKED_RETIREMENTS_PER_ID, PeerIds } from '../../src/connection/peer-ids.ts'
import { limits } from '../../src/limits.ts'
import { writeNewConnectionId, writeRetireConnectionId } from '../../src/packet/frames/connection-id.ts'
import { FrameType, type NewConnectionIdFrame } from '../../src/packet/frames/frame.ts'
import { Level } from '../../src/packet/level.ts'
import { SentFrame, SentKind } from '../../src/packet/sent-frame.ts'
import { writeStatelessReset } from '../../src/packet/stateless-reset.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { Pair, resetToken } from '../sim/pair.ts'
import { closedWith, frames, OpenPair, pingBytes, Transfer } from './support.ts'

const idOf = (sequence: number): Uint8Array => Uint8Array.of(0xaa, 0, 0, 0, 0, 0, sequence >> 8, sequence)

const pathOf = (port: number): Address => ({ host: '192.0.2.9', port })

function newId(sequence: number, retirePriorTo = 0, id = idOf(sequence)): Uint8Array {
  return frames(w => writeNewConnectionId(w, sequence, retirePriorTo, id, resetToken(id)))
}

const frame = (sequence: number, retirePriorTo = 0): NewConnectionIdFrame => ({
  type: FrameType.NewConnectionId,
  sequence,
  retirePriorTo,
  id: idOf(sequence),
  statelessResetToken: resetToken(idOf(sequence)),
})

describe('ids we issue (RFC 9000 §5.1.1)', () => {
  test('both sides hand out as many as the other takes, and no more', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    for (const side of ['client', 'server'] as const) {
      expect(pair.logs[side].frames(FrameType.NewConnectionId).map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    }
  })

  test('a retired one is replaced, and not routed any more', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    pair.inject(
      'client',
      Level.OneRtt,
      frames(w => writeRetireConnectionId(w, 2)),
    )
    expect(pair.retired.server.length).toBe(1)
    expect(pair.logs.server.frames(FrameType.NewConnectionId).at(-1)?.sequence).toBe(4)
    pair.inject(
      'client',
      Level.OneRtt,
      frames(w => writeRetireConnectionId(w, 2)),
    )
    expect([pair.retired.server.length, pair.server.has('closed')]).toEqual([1, false])
  })

  test('retiring one that was never issued is a PROTOCOL_VIOLATION (§19.16)', () => {
    const pair = new OpenPair().connect()
    pair.inject(
      'client',
      Level.OneRtt,
      frames(w => writeRetireConnectionId(w, 17)),
    )
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('so is retiring the one that the packet was sent to', () => {
    const pair = new OpenPair().connect()
    pair.inject(
      'client',
      Level.OneRtt,
      frames(w => writeRetireConnectionId(w, 0)),
    )
    expect(closedWith(pair.server)).toBe(ErrorCode.ProtocolViolation)
  })

  test('a zero-length id has no siblings (security: zero-length id)', () => {
    const source = { create: () => new Uint8Array(0), resetToken, retire: () => {} }
    const ids = new LocalIds(new Uint8Array(0), source)
    ids.setLimit(8)
    expect(ids.hasDue).toBe(false)
    const retire = { type: FrameType.RetireConnectionId, sequence: 0 } as const
    expect(() => ids.onRetire(retire, new Uint8Array(0))).toThrow(/in use/)
  })

  test('a peer that retires as fast as it can makes us keep no more than four', () => {
    let created = 0
    let retired = 0
    const create = (): Uint8Array => idOf(++created)
    const ids = new LocalIds(idOf(0), { create, resetToken, retire: () => retired++ })
    ids.setLimit(1000)
    for (let sequence = 1; sequence < 500; sequence++) {
      ids.onRetire({ type: FrameType.RetireConnectionId, sequence }, idOf(0))
      expect(created + 1 - retired).toBe(MAX_LOCAL_IDS)
    }
    ids.retireAll()
    expect(created + 1 - retired).toBe(0)
  })
})

describe('ids of the peer (RFC 9000 §5.1.2, §19.15)', () => {
  test('retire_prior_to makes us use the next one, and say so', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    pair.inject('server', Level.OneRtt, newId(4, 2))
    expect(pair.client.has('closed')).toBe(false)
    expect(pair.logs.client.frames(FrameType.RetireConnectionId).map(({ sequence }) => sequence)).toEqual([0, 1])
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
    expect((pair.client.sent.at(-1) as Uint8Array).subarray(1, 9)).toEqual(
      pair.logs.server.frames(FrameType.NewConnectionId)[1]?.id,
    )
  })

  test('the same frame again is no fault', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.run(() => pair.client.has('handshakeComplete'), 1000)
    pair.inject('server', Level.OneRtt, newId(1))
    pair.inject('server', Level.OneRtt, newId(1))
    expect(pair.client.has('closed')).toBe(false)
  })

  const wrong: [string, number, Uint8Array[]][] = [
    ['more than we announced', ErrorCode.ConnectionIdLimitError, [1, 2, 3, 4].map(sequence => newId(sequence))],
    ['another id under the same number', ErrorCode.ProtocolViolation, [newId(1), newId(1, 0, idOf(99))]],
    ['the same id under another number', ErrorCode.ProtocolViolation, [newId(1), newId(2, 0, idOf(1))]],
    ['retiring beyond its own number', ErrorCode.FrameEncodingError, [newId(1, 2)]],
  ]
  test.each(wrong)('%s', (_, code, payloads) => {
    // Its own ids are kept back, so that the forged ones come first.
    const pair = new OpenPair({ link: { delay: 10 } })
    pair.start()
    pair.world.run(() => pair.client.has('handshakeComplete'), 1000)
    for (const payload of payloads) pair.inject('server', Level.OneRtt, payload)
    expect(closedWith(pair.client)).toBe(code)
  })

  test('security: ids that retire all before them are cut off while we cannot get a word out', () => {
    const ids = new PeerIds(idOf(0), 4)
    const flood = (): void => {
      for (let sequence = 1; sequence < 1000; sequence++) ids.onNew(frame(sequence, sequence))
    }
    expect(flood).toThrow(expect.objectContaining({ code: ErrorCode.ConnectionIdLimitError }))
    let waiting = 0
    const writer = Writer.allocate(10_000) as never as Parameters<PeerIds['write']>[0]
    ;(writer as { record: unknown }).record = () => waiting++
    ids.write(writer)
    expect(waiting).toBe(4 * MAX_UNACKED_RETIREMENTS_PER_ID)
  })

  test('retirements that are acknowledged make room', () => {
    const ids = new PeerIds(idOf(0), 4)
    for (let sequence = 1; sequence < 1000; sequence++) {
      ids.onNew(frame(sequence, sequence))
      ids.onAcked(new SentFrame(SentKind.RetireConnectionId, sequence - 1))
    }
    expect([ids.current, ids.hasDue]).toEqual([idOf(999), false])
  })

  test('RFC 9000 §5.1.1: a peer that counts by twos is cut off before the gaps fill memory', () => {
    const ids = new PeerIds(idOf(0), 4)
    let sequence = 0
    const leaveOut = (): void => {
      sequence += 2
      ids.onNew(frame(sequence))
      expect(ids.idFor(pathOf(1), sequence)).toEqual(idOf(sequence))
      ids.onTimeout(sequence)
      ids.onAcked(new SentFrame(SentKind.RetireConnectionId, sequence))
    }
    for (let gap = 0; gap < limits.sequenceGaps; gap++) leaveOut()
    expect(leaveOut).toThrow(expect.objectContaining({ code: ErrorCode.ProtocolViolation }))
  })

  test('one that was used up does not come back with a late frame', () => {
    const ids = new PeerIds(idOf(0), 4)
    ids.onNew(frame(2))
    ids.onNew(frame(1))
    expect(ids.moveTo(pathOf(1), pathOf(0), 10)).toBe(true)
    expect(ids.current).toEqual(idOf(1))
    expect(ids.moveTo(pathOf(2), pathOf(1), 20)).toBe(true)
    ids.onTimeout(20)
    ids.onAcked(new SentFrame(SentKind.RetireConnectionId, 1))
    ids.onNew(frame(1))
    expect(ids.current).toEqual(idOf(2))
    expect(ids.moveTo(pathOf(3), pathOf(2), 30)).toBe(false)
  })

  test('a lost RETIRE_CONNECTION_ID is repeated', () => {
    const ids = new PeerIds(idOf(0), 4)
    ids.onNew(frame(1, 1))
    const sent = new SentFrame(SentKind.RetireConnectionId, 0)
    ids.onLost(sent)
    expect(ids.hasDue).toBe(true)
    ids.onAcked(sent)
    expect(ids.hasDue).toBe(false)
    ids.onLost(sent)
    expect(ids.hasDue).toBe(false)
  })

  test('a peer with a zero-length id issues no other', () => {
    const ids = new PeerIds(new Uint8Array(0), 4)
    expect(() => ids.onNew(frame(1))).toThrow(expect.objectContaining({ code: ErrorCode.ProtocolViolation }))
  })
})

describe('stateless reset (RFC 9000 §10.3)', () => {
  function reset(token: Uint8Array, length = 42): Uint8Array {
    const writer = Writer.allocate(length)
    writeStatelessReset(writer, token, new Uint8Array(length).fill(0x5a), length)
    return writer.bytes
  }

  test('of a server that has lost its state ends the connection in silence', () => {
    const pair = new OpenPair().connect()
    const sent = pair.client.sentCount
    pair.client.receive(reset(resetToken(pair.id('server'))), pair.server.address)
    expect(pair.client.find('closed')).toMatchObject({ by: 'reset', errorCode: 0 })
    pair.world.pass(5000)
    expect(pair.client.connection.isTerminated).toBe(true)
    expect(pair.client.sentCount).toBe(sent)
  })

  test('with another token it is a packet like others', () => {
    const pair = new OpenPair().connect()
    pair.client.receive(reset(resetToken(idOf(5))), pair.server.address)
    pair.client.receive(reset(resetToken(pair.id('server'))), { host: '203.0.113.9', port: 443 })
    expect(pair.client.has('closed')).toBe(false)
  })

  test('the token of an id that was not used yet is no reset (§10.3.1)', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    const spare = pair.logs.server.frames(FrameType.NewConnectionId)[0]?.id as Uint8Array
    pair.client.receive(reset(resetToken(spare)), pair.server.address)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('nor is that of one that was retired', () => {
    const pair = new OpenPair().connect()
    pair.world.pass(500)
    pair.inject('server', Level.OneRtt, newId(4, 1))
    pair.client.receive(reset(resetToken(pair.id('server'))), pair.server.address)
    expect(pair.client.has('closed')).toBe(false)
  })

  test('inside a packet that opens a token means nothing', () => {
    const pair = new OpenPair().connect()
    const token = resetToken(pair.id('server'))
    pair.inject('server', Level.OneRtt, new Uint8Array([...pingBytes, ...new Uint8Array(20), ...token.fill(0)]))
    expect(pair.client.has('closed')).toBe(false)
  })
})

test('a connection whose ids are all eight bytes works when packets are lost around their exchange', () => {
  const pair = new Pair({ seed: 12, link: { delay: 10, loss: 0.3 } }).connect()
  expect(new Transfer(pair, 5000, 5000).begin().run()).toBe(true)
})
