// RFC 9000 §8.2 and §9: ids of paths, full-size validation, preferred addresses, moves that are forbidden.

import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/hex.ts'
import type { Address } from '../../../src/connection/path.ts'
import { FrameType } from '../../../src/packet/frames/frame.ts'
import { Level } from '../../../src/packet/level.ts'
import { bytes, concat, zeros } from '../bytes-by-hand.ts'
import {
  HandMadeClient,
  type HandMadePeer,
  HandMadeServer,
  type HeardPacket,
  type PeerOptions,
  peerAddress,
  strangeAddress,
} from '../hand-made-peer.ts'

const ping = bytes(FrameType.Ping)

function challenge(data: number): Uint8Array {
  return bytes(FrameType.PathChallenge, new Uint8Array(8).fill(data))
}

function response(data: Uint8Array): Uint8Array {
  return bytes(FrameType.PathResponse, data)
}

/** Gives the connection further ids. */
function issue(...seeds: number[]): Uint8Array {
  return concat(
    ...seeds.map(seed => bytes(FrameType.NewConnectionId, seed, 0, 8, new Uint8Array(8).fill(seed), zeros(16))),
  )
}

function heardAt(peer: HandMadePeer, address: Address): HeardPacket[] {
  return peer.heard.filter(({ to }) => to.host === address.host && to.port === address.port && to.via === address.via)
}

function has(packet: HeardPacket, type: number): boolean {
  return packet.frames.some(frame => frame.type === type)
}

/** Challenges that went to an address, with the sizes of their datagrams. */
function asked(peer: HandMadePeer, address: Address): { data: Uint8Array; size: number }[] {
  return heardAt(peer, address).flatMap(({ frames, size }) =>
    frames.flatMap(frame => (frame.type === FrameType.PathChallenge ? [{ data: frame.data, size }] : [])),
  )
}

/** A server whose client has given it ids 1, 2, 3, and knows others of the server. */
function serverWithIds(options: PeerOptions = {}): { peer: HandMadeClient; others: Uint8Array[] } {
  const peer = new HandMadeClient(options).reach('complete').send(Level.OneRtt, issue(1, 2, 3))
  return { peer, others: peer.frames(FrameType.NewConnectionId).map(({ id }) => id) }
}

describe('ids of paths', () => {
  test('RFC 9000 §9.5: a probe is answered under an id that was on no other path, and always the same there', () => {
    const { peer, others } = serverWithIds()
    const [destination] = others as [Uint8Array]
    const before = peer.heard.length
    for (const data of [1, 2, 3])
      peer.deliver(peer.packet(Level.OneRtt, challenge(data), { padTo: 1200, destination }), strangeAddress)
    const there = heardAt(peer, strangeAddress)
    expect(there.map(packet => toHex(packet.destination))).toEqual(Array(3).fill('01'.repeat(8)))
    // Whatever went out meanwhile where the client is has the id of before.
    const here = peer.heard.slice(before).filter(packet => packet.to.host === peerAddress.host)
    for (const packet of here) expect(packet.destination).toEqual(peer.id)
  })

  test('RFC 9000 §9.5: a second address sees another id; one the client moves to keeps its own', () => {
    const { peer, others } = serverWithIds({ parameters: { activeConnectionIdLimit: 4 } })
    const [first, second] = others as [Uint8Array, Uint8Array]
    const another = { host: '203.0.113.10', port: 10 }
    peer.deliver(peer.packet(Level.OneRtt, challenge(1), { padTo: 1200, destination: first }), strangeAddress)
    peer.deliver(peer.packet(Level.OneRtt, challenge(2), { padTo: 1200, destination: second }), another)
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination: second }), another)
    expect(new Set(heardAt(peer, strangeAddress).map(packet => toHex(packet.destination)))).toEqual(
      new Set(['01'.repeat(8)]),
    )
    expect(new Set(heardAt(peer, another).map(packet => toHex(packet.destination)))).toEqual(new Set(['02'.repeat(8)]))
    expect(peer.connection.remote).toEqual(another)
  })

  test('RFC 9000 §5.1.2: an id whose path is not used is given back', () => {
    const { peer, others } = serverWithIds()
    const destination = others[0] as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, challenge(1), { padTo: 1200, destination }), strangeAddress)
    expect(peer.frames(FrameType.RetireConnectionId)).toEqual([])
    peer.pass(10_000)
    expect(new Set(peer.frames(FrameType.RetireConnectionId).map(({ sequence }) => sequence))).toEqual(new Set([1]))
  })

  test('RFC 9000 §9.5: without an id for it, a path is sent nothing until there is one', () => {
    const peer = new HandMadeClient().reach('complete')
    const destination = peer.frames(FrameType.NewConnectionId)[0]?.id as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, challenge(1), { padTo: 1200, destination }), strangeAddress)
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination }), strangeAddress).pass(500)
    expect(heardAt(peer, strangeAddress)).toEqual([])
    expect(peer.connection.remote).toEqual(peerAddress)
    peer.deliver(peer.packet(Level.OneRtt, issue(1), { padTo: 1200, destination }), strangeAddress)
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination }), strangeAddress)
    expect(peer.connection.remote).toEqual(strangeAddress)
    expect(heardAt(peer, strangeAddress).map(packet => toHex(packet.destination))).toContain('01'.repeat(8))
  })

  test('RFC 9000 §9.5: a client without an id of its own is followed all the same', () => {
    const peer = new HandMadeClient({ id: zeros(0) }).reach('complete')
    const destination = peer.frames(FrameType.NewConnectionId)[0]?.id as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, concat(ping, challenge(1)), { padTo: 1200, destination }), strangeAddress)
    expect(peer.connection.remote).toEqual(strangeAddress)
    expect(asked(peer, strangeAddress).length).toBe(1)
  })

  test('security: probes from a thousand addresses keep few ids busy, and end nothing', () => {
    const { peer, others } = serverWithIds()
    for (let port = 1; port <= 1000; port++) {
      const packet = peer.packet(Level.OneRtt, challenge(port & 0xff), {
        padTo: 1200,
        destination: others[0] as Uint8Array,
      })
      peer.deliver(packet, { host: strangeAddress.host, port })
    }
    peer.pass(20_000).expectOpen()
    const used = new Set(peer.heard.map(packet => toHex(packet.destination)))
    expect(used.size).toBeLessThanOrEqual(4)
  })
})

describe('validation', () => {
  test('RFC 9000 §8.2.1: who answered to a small datagram is asked again with a full one', () => {
    const { peer } = serverWithIds()
    peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress)
    const [first] = asked(peer, strangeAddress)
    expect(first?.size).toBeLessThan(1200)
    peer.deliver(peer.packet(Level.OneRtt, response(first?.data as Uint8Array)), strangeAddress)
    const [, second] = asked(peer, strangeAddress)
    expect(second?.size).toBe(1200)
    expect(second?.data).not.toEqual(first?.data)
    // RFC 9000 §8.2.3: meanwhile there is no limit any more.
    expect(peer.connection.isAddressValidated).toBe(true)
    peer.deliver(peer.packet(Level.OneRtt, response(second?.data as Uint8Array)), strangeAddress).pass(20_000)
    expect(peer.connection.remote).toEqual(strangeAddress)
    expect(asked(peer, strangeAddress).length).toBe(2)
  })

  test('RFC 9000 §8.2.1: a path that takes no full datagram is given up', () => {
    const { peer } = serverWithIds()
    peer.deliver(peer.packet(Level.OneRtt, ping), strangeAddress)
    const small = asked(peer, strangeAddress)[0]?.data as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, response(small)), strangeAddress).pass(20_000)
    expect(peer.connection.remote).toEqual(peerAddress)
  })

  test('RFC 9000 §13.3, §8.2.1: a question that is repeated is another one, and not asked too often', () => {
    const { peer } = serverWithIds()
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    for (let i = 0; i < 20; i++) {
      peer.pass(100)
      peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    }
    const data = asked(peer, strangeAddress).map(question => toHex(question.data))
    expect(data.length).toBeGreaterThan(1)
    expect(data.length).toBeLessThanOrEqual(8)
    expect(new Set(data).size).toBe(data.length)
  })

  test('RFC 9000 §8.2.2, §8.2.3: an answer by another way is as good', () => {
    const { peer } = serverWithIds()
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const { data } = asked(peer, strangeAddress)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data)), peerAddress)
    expect(peer.connection.isAddressValidated).toBe(true)
    expect(peer.connection.remote).toEqual(strangeAddress)
  })

  test('RFC 9000 §8.1: eight questions in one datagram are answered with three times its size at most', () => {
    const { peer } = serverWithIds()
    const eight = concat(...[1, 2, 3, 4, 5, 6, 7, 8].map(challenge))
    const small = peer.packet(Level.OneRtt, eight)
    peer.deliver(small, strangeAddress)
    const size = peer.datagrams
      .filter(({ to }) => to.host === strangeAddress.host)
      .reduce((n, d) => n + d.bytes.length, 0)
    expect(size).toBeLessThanOrEqual(3 * small.length)
    expect(peer.frames(FrameType.PathResponse).length).toBe(8)
  })

  test('RFC 9000 §8.1: what was said before a client was followed counts as well', () => {
    const { peer } = serverWithIds()
    let received = 0
    for (const frames of [challenge(1), challenge(2), concat(challenge(3), ping), ping]) {
      const packet = peer.packet(Level.OneRtt, frames)
      received += packet.length
      peer.deliver(packet, strangeAddress)
    }
    peer.pass(3000)
    const sent = peer.datagrams
      .filter(({ to }) => to.host === strangeAddress.host)
      .reduce((n, d) => n + d.bytes.length, 0)
    expect(sent).toBeLessThanOrEqual(3 * received)
  })

  test('RFC 9000 §9.3: a client that has proven its new address is given a token for it', () => {
    let made = 0
    const { peer } = serverWithIds({ server: { newToken: () => Uint8Array.of(++made) } })
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200 }), strangeAddress)
    const { data } = asked(peer, strangeAddress)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data)), strangeAddress)
    expect(peer.frames(FrameType.NewToken).map(({ token }) => [...token])).toEqual([[1], [2]])
  })

  test('RFC 9000 §9: a client that breaks disable_active_migration is validated, and not closed on', () => {
    const { peer, others } = serverWithIds({ transport: { disableActiveMigration: true } })
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination: others[0] as Uint8Array }), strangeAddress)
    peer.expectOpen()
    const { data } = asked(peer, strangeAddress)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data)), strangeAddress)
    expect(peer.connection.remote).toEqual(strangeAddress)
    expect(peer.connection.isAddressValidated).toBe(true)
  })
})

describe('a preferred address', () => {
  const there = { ...peerAddress, via: 1 }
  const elsewhere = { ...strangeAddress, via: 1 }
  const preferring: PeerOptions = { server: { preferredAddress: { ipv4: { host: '192.0.2.77', port: 443 } } } }

  test('RFC 9000 §9.6.2: at its preferred address a server asks, and speaks from there once both have spoken', () => {
    const { peer, others } = serverWithIds(preferring)
    const destination = others[0] as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination }), there)
    expect(peer.connection.remote).toEqual(peerAddress)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), true))
    expect(heardAt(peer, there).every(({ frames }) => frames.every(({ type }) => probing.has(type)))).toBe(true)
    const { data, size } = asked(peer, there)[0] as { data: Uint8Array; size: number }
    expect(size).toBe(1200)
    peer.deliver(peer.packet(Level.OneRtt, response(data), { destination }), there)
    expect(peer.connection.remote).toEqual(there)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), true))
    expect(has(heardAt(peer, there).at(-1) as HeardPacket, FrameType.Stream)).toBe(true)
  })

  test('RFC 9000 §9.6.2: a probe alone is answered and asked back, and moves nothing', () => {
    const { peer, others } = serverWithIds(preferring)
    const destination = others[0] as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, challenge(1), { padTo: 1200, destination }), there)
    const [answer] = heardAt(peer, there) as [HeardPacket]
    expect([has(answer, FrameType.PathResponse), has(answer, FrameType.PathChallenge)]).toEqual([true, true])
    const { data } = asked(peer, there)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data), { padTo: 1200, destination }), there)
    expect(peer.connection.remote).toEqual(peerAddress)
    peer.deliver(peer.packet(Level.OneRtt, ping, { destination }), there)
    expect(peer.connection.remote).toEqual(there)
  })

  test('RFC 9000 §9.6.3: a client that comes to the preferred address from elsewhere is validated there', () => {
    const { peer, others } = serverWithIds(preferring)
    const destination = others[0] as Uint8Array
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination }), elsewhere)
    expect(asked(peer, elsewhere).length).toBe(1)
    // Nobody answers.
    peer.pass(20_000)
    expect(peer.connection.remote).toEqual(peerAddress)
    const sent = peer.datagrams.filter(({ to }) => to.host === elsewhere.host).reduce((n, d) => n + d.bytes.length, 0)
    expect(sent).toBeLessThanOrEqual(3600)
  })

  /** Packets of the client have come to the second socket under the id `destination`, and what was asked there is answered. */
  function moved(options: PeerOptions, under?: number): { peer: HandMadeClient; delayed: Uint8Array } {
    const { peer, others } = serverWithIds({ ...options, parameters: { activeConnectionIdLimit: 4 } })
    const destination = under === undefined ? peer.destination : (others[under] as Uint8Array)
    const delayed = peer.packet(Level.OneRtt, streamOf(0))
    peer.deliver(peer.packet(Level.OneRtt, ping, { padTo: 1200, destination }), there)
    const { data } = asked(peer, there)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data), { padTo: 1200, destination }), there)
    expect(peer.connection.remote).toEqual(there)
    return { peer, delayed }
  }

  /** A stream of one byte. */
  function streamOf(id: number): Uint8Array {
    return bytes(FrameType.Stream + 2, id, 1, 0)
  }

  function opened(peer: HandMadePeer): number[] {
    return peer.events.flatMap(event => (event.type === 'streamOpened' ? [event.id] : []))
  }

  test('RFC 9000 §9.6.2: once a client has gone there, newer packets by the old address are dropped', () => {
    const { peer, delayed } = moved(preferring, 0)
    peer.deliver(peer.packet(Level.OneRtt, streamOf(4)))
    expect(peer.connection.statistics().dropped.rejected).toBe(1)
    expect(opened(peer)).toEqual([])
    // What was sent before, and took longer, is not.
    peer.deliver(delayed)
    expect(opened(peer)).toEqual([0])
    expect(peer.connection.remote).toEqual(there)
    peer.deliver(peer.packet(Level.OneRtt, streamOf(4)), there)
    expect(opened(peer)).toEqual([0, 4])
  })

  test('RFC 9000 §9.6.2: not without a preferred address, nor where the id shows that somebody forwards', () => {
    for (const { peer } of [moved({}, 0), moved(preferring)]) {
      peer.deliver(peer.packet(Level.OneRtt, concat(ping, streamOf(4)), { padTo: 1200 }))
      expect(opened(peer)).toEqual([0, 4])
      const { data } = asked(peer, peerAddress).at(-1) as { data: Uint8Array }
      peer.deliver(peer.packet(Level.OneRtt, response(data), { padTo: 1200 }))
      expect(peer.connection.remote).toEqual(peerAddress)
    }
  })

  const parameters = {
    preferredAddress: {
      ...{ ipv4: Uint8Array.of(192, 0, 2, 77), ipv4Port: 443, ipv6: zeros(16), ipv6Port: 0 },
      ...{ connectionId: new Uint8Array(8).fill(9), statelessResetToken: new Uint8Array(16).fill(9) },
    },
  }
  const preferred = { host: '192.0.2.77', port: 443 }

  test('RFC 9000 §9.6.2: a preferred address is asked before anything else goes there', () => {
    const peer = new HandMadeServer({ parameters }).reach('confirmed')
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), true))
    expect(heardAt(peer, preferred).flatMap(({ frames }) => frames.filter(({ type }) => !probing.has(type)))).toEqual(
      [],
    )
    const { data, size } = asked(peer, preferred)[0] as { data: Uint8Array; size: number }
    expect(size).toBe(1200)
    expect(toHex(heardAt(peer, preferred)[0]?.destination as Uint8Array)).toBe('09'.repeat(8))
    peer.deliver(peer.packet(Level.OneRtt, response(data), { padTo: 1200 }), preferred)
    expect(peer.connection.remote).toMatchObject(preferred)
  })

  test('RFC 9000 §9.6.1: a preferred address that does not answer is given up, and the client stays', () => {
    const peer = new HandMadeServer({ parameters }).reach('confirmed').pass(20_000)
    expect(asked(peer, preferred).length).toBeGreaterThan(1)
    expect(peer.has('migrationFailed')).toBe(true)
    const { length } = heardAt(peer, preferred)
    peer.act(connection => connection.write(connection.openStream('uni') as number, zeros(10), true))
    expect(heardAt(peer, preferred).length).toBe(length)
    peer.expectOpen()
  })

  test('RFC 9000 §18.2: disable_active_migration does not bind a client that is at the preferred address', () => {
    const peer = new HandMadeServer({ parameters: { ...parameters, disableActiveMigration: true } }).reach('confirmed')
    peer.send(Level.OneRtt, issue(2, 3))
    const { data } = asked(peer, preferred)[0] as { data: Uint8Array }
    peer.deliver(peer.packet(Level.OneRtt, response(data), { padTo: 1200 }), preferred)
    expect(peer.connection.migrate({ ...preferred, via: 1 })).toBe(undefined)
  })

  test('RFC 9000 §9: but one that is not', () => {
    const peer = new HandMadeServer({ parameters: { ...parameters, disableActiveMigration: true } }).reach('confirmed')
    peer.send(Level.OneRtt, issue(2, 3)).pass(20_000)
    expect(peer.connection.migrate({ ...peer.from, via: 1 })).toBe('disabled')
  })
})

/** RFC 9000 §9.1. */
const probing = new Set<number>([
  FrameType.Padding,
  FrameType.PathChallenge,
  FrameType.PathResponse,
  FrameType.NewConnectionId,
])
