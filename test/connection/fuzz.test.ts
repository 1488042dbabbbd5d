// Mutated datagrams in every phase of a connection, and legal packets with illegal contents: nothing throws, nothing
// spins, nothing grows, nothing is amplified, and no fault of a peer is ever called ours.

import { expect, test } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import { Level } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { integer, randomBytes, seededRandom } from '../reference/random.ts'
import type { Host } from '../sim/host.ts'
import { clientAddress, serverAddress } from '../sim/pair.ts'
import { OpenPair, type Side } from './support.ts'

const ITERATIONS = Number(process.env['FUZZ_ITERATIONS'] ?? 15_000)

/** One to four changes of a datagram: bits, bytes, cuts, insertions, doubled parts. */
function mutate(random: () => number, original: Uint8Array): Uint8Array {
  let bytes: Uint8Array = original.slice()
  for (let changes = 1 + integer(random, 4); changes > 0; changes--) {
    // Headers are short, and where the parsing is.
    const reach = random() < 0.5 ? Math.min(60, bytes.length) : bytes.length
    const at = integer(random, Math.max(1, reach))
    switch (integer(random, 6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << integer(random, 8))
        break
      case 1:
        bytes[at] = integer(random, 256)
        break
      case 2:
        bytes = bytes.slice(0, at)
        break
      case 3:
        bytes = concat(bytes.subarray(0, at), randomBytes(random, 1 + integer(random, 20)), bytes.subarray(at))
        break
      case 4:
        bytes = concat(bytes, bytes.subarray(at))
        break
      case 5:
        bytes[at] = [0, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff][integer(random, 8)] as number
    }
  }
  return bytes.subarray(0, 3000)
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

const buffer = new Uint8Array(1500)

/** Everything a connection wants to send now; it must come to an end, and time must not stand still behind it. */
function drain(connection: Connection, now: number): number {
  let sent = 0
  for (let count = 0; ; count++) {
    expect(count).toBeLessThan(200)
    const transmit = connection.transmit(buffer, now)
    if (transmit === undefined) break
    sent += transmit.length
  }
  while (connection.poll() !== undefined);
  for (let turn = 0; connection.nextTimeout() <= now; turn++) {
    expect(turn, 'nextTimeout stays in the past').toBeLessThan(20)
    connection.onTimeout(now)
    for (let t = connection.transmit(buffer, now); t; t = connection.transmit(buffer, now)) sent += t.length
  }
  return sent
}

/** A pair in one of the phases of its life, and what each side would receive next. */
function phase(seed: number): OpenPair {
  const pair = new OpenPair({ seed, link: { delay: 5 } })
  pair.start(() => {})
  const trips = seed % 7
  if (trips < 5) pair.world.pass(5 * trips + 1)
  else {
    pair.world.run(() => pair.client.has('handshakeConfirmed'), 1000)
    pair.client.act(client => {
      const id = client.openStream('bidi') as number
      client.write(id, new Uint8Array(3000), false)
    })
    if (trips === 6) pair.world.pass(40)
  }
  return pair
}

const PER_PAIR = 250

test(`${ITERATIONS} mutated datagrams, at a server and at a client, in all phases`, () => {
  const random = seededRandom(20260101)
  for (let done = 0, seed = 1; done < ITERATIONS; seed++) {
    const pair = phase(seed)
    const corpus = [...pair.client.sent, ...pair.server.sent]
    let now = pair.world.now
    for (let i = 0; i < PER_PAIR && done < ITERATIONS; i++, done++) {
      const host: Host = i % 2 === 0 && pair.server.hasConnection ? pair.server : pair.client
      const { connection } = host
      const from = host === pair.server ? clientAddress : serverAddress
      const datagram = mutate(random, corpus[integer(random, corpus.length)] as Uint8Array)
      const wasValidated = connection.isAddressValidated
      const before = connection.stats.bytesReceived
      const sentBefore = connection.stats.bytesSent
      if (random() < 0.05) now += random() * 50
      connection.receive(datagram, from, now)
      const sent = drain(connection, now)
      if (!wasValidated && !connection.isClient) {
        const { bytesReceived, bytesSent } = connection.stats
        expect(bytesSent).toBeLessThanOrEqual(3 * bytesReceived)
        expect(bytesSent - sentBefore).toBe(sent)
        expect(bytesReceived).toBeGreaterThanOrEqual(before)
      }
    }
  }
})

/** A plaintext with frames, some of them wrong. */
function wrongFrames(random: () => number, samples: readonly Uint8Array[]): Uint8Array {
  const chosen = samples[integer(random, samples.length)] as Uint8Array
  return random() < 0.3 ? randomFrame(random) : mutate(random, chosen)
}

/** Any frame type with any numbers behind it. */
function randomFrame(random: () => number): Uint8Array {
  const bytes = [integer(random, 0x32)]
  for (let fields = integer(random, 6); fields > 0; fields--) {
    const size = integer(random, 4)
    const first = random() < 0.5 ? 0 : integer(random, 64)
    bytes.push((size << 6) | first)
    for (let rest = (1 << size) - 1; rest > 0; rest--) bytes.push(random() < 0.5 ? 255 : integer(random, 256))
  }
  for (let rest = integer(random, 30); rest > 0; rest--) bytes.push(integer(random, 256))
  return Uint8Array.from(bytes)
}

test('RFC 9000 §11: frames that break rules under the right keys close with a code of the peer, never INTERNAL_ERROR', () => {
  const random = seededRandom(77)
  const codes = new Map<number, number>()
  const rounds = Math.max(1, Math.floor(ITERATIONS / 100))
  for (let seed = 1; seed <= rounds; seed++) {
    const pair = phase(seed)
    const levels = [Level.Initial, Level.Handshake, Level.OneRtt]
    const side: Side = seed % 2 === 0 && pair.server.hasConnection ? 'client' : 'server'
    if (!pair.server.hasConnection) continue
    const victim = side === 'client' ? pair.server : pair.client
    const samples = [...plaintexts(pair, side)]
    for (let i = 0; i < 25; i++) {
      const level = levels[integer(random, 3)] as Level
      if (!pair.canForge(side, level)) continue
      pair.inject(side, level, wrongFrames(random, samples).subarray(0, 1100))
      const closed = victim.find('closed')
      if (closed === undefined) continue
      codes.set(closed.errorCode, (codes.get(closed.errorCode) ?? 0) + 1)
      const cause = closed.error?.cause
      expect(
        closed.by === 'local' && closed.errorCode === ErrorCode.InternalError,
        `${seed}: ${(cause as Error)?.stack}`,
      ).toBe(false)
      break
    }
    expect(pair.world.now).toBeLessThan(10_000)
  }
  expect(codes.size).toBeGreaterThan(5)
})

function* plaintexts(pair: OpenPair, side: Side): Generator<Uint8Array> {
  for (const payload of pair.logs[side].payloads) yield payload
}
