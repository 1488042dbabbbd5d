// Plays a script to a connection and looks after every step whether it still keeps its promises.

import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { type Frame, FrameType, type PathFrame } from '../../src/packet/frames/frame.ts'
import { Level, spaceOf } from '../../src/packet/level.ts'
import { ErrorCode } from '../../src/packet/transport-error.ts'
import { offeredPsk } from '../../src/zero-rtt/resumption.ts'
import { bytes } from '../conformance/bytes-by-hand.ts'
import {
  HandMadeClient,
  type HandMadePeer,
  HandMadeServer,
  type PeerOptions,
  serverAddress,
  strangeAddress,
} from '../conformance/hand-made-peer.ts'
import { ORIGIN, provisioned } from '../connection/early.ts'
import { randomBytes, seededRandom } from '../reference/random.ts'
import { fastBackend } from '../sim/fast-backend.ts'
import { testTime } from '../support/certificates.ts'
import { DATAGRAM, type FramePart, type FrameScript, STREAM_WINDOW, STREAMS, WINDOW } from './frames.ts'
import { check, isKnownCode } from './promises.ts'
import type { Mutation, PacketStep, Script, Step, Verb } from './script.ts'
import type { Tally } from './tally.ts'

const transport = {
  initialMaxData: WINDOW,
  maxConnectionWindow: WINDOW,
  initialMaxStreamData: STREAM_WINDOW,
  maxStreamWindow: STREAM_WINDOW,
  initialMaxStreamsBidi: STREAMS,
  initialMaxStreamsUni: STREAMS,
  sendBufferSize: 4000,
}
/** Windows, what small pieces may weigh, CRYPTO buffers, and the rest of what a connection counts. */
const MEMORY = 2 ** 21
/** Events that one step may cause. */
const MAX_EVENTS = 200
/** Streams of the peer that may be open, and as many of ours as its MAX_STREAMS and the script allow. */
const MAX_STREAMS = 2 * STREAMS + 30
const MAX_TURNS = 50

/** Throws an Error that says which promise was broken. */
export function play(script: Script, tally: Tally): void {
  const player = new Player(script, tally)
  for (const step of script.steps) player.step(step)
  player.end()
}

class Player {
  readonly #peer: HandMadePeer
  readonly #tally: Tally
  readonly #role: Script['role']
  /** Packets and events looked at so far. */
  #heard = 0
  #events = 0
  #datagrams = 0
  /** Largest packet number heard, and all that were, by space. */
  readonly #largest: number[] = [-1, -1, -1]
  readonly #numbers: number[][] = [[], [], []]
  #challenge: Uint8Array = new Uint8Array(8)
  readonly #next: number[] = [0, 0, 0]
  #isClosed = false

  constructor(script: Script, tally: Tally) {
    this.#tally = tally
    this.#role = script.role
    const peer = peerFor(script)
    peer.isForgiving = true
    this.#peer = script.isEarly && script.role === 'server' ? peer.speak(Level.Initial) : peer.reach(script.stage)
    peer.act(openAll)
    this.#look()
  }

  step(step: Step): void {
    const peer = this.#peer
    if (step.do === 'packet') this.#send(step)
    else if (step.do === 'ack') this.#acknowledge(step.which)
    else if (step.do === 'pass') peer.pass(step.ms)
    else if (step.do === 'speak') this.#whenKeys(step.level, () => peer.speak(step.level))
    else if (step.do === 'updateKeys') peer.keys.oneRtt?.initiateUpdate(peer.now)
    else this.#act(step.act)
    this.#look()
  }

  /** Silence: whatever was begun comes to its end. */
  end(): void {
    const { connection } = this.#peer
    this.#peer.pass(1_000_000)
    this.#look()
    check(connection.isTerminated, 'still there after a quarter of an hour of silence')
    check(connection.nextTimeout() === Number.POSITIVE_INFINITY, 'a timer after the end')
    check(this.#isClosed, 'ended without a word')
  }

  #send({ level, frames, mutations, isMoved, skip }: PacketStep): void {
    this.#whenKeys(level, () => {
      const space = spaceOf(level)
      const number = Math.max(0, (this.#next[space] as number) + skip)
      this.#next[space] = Math.max(this.#next[space] as number, number + 1)
      const plain = encode(frames, part => this.#resolve(part, level))
      const damaged = mutations.reduce(mutate, plain).subarray(0, MAX_PLAINTEXT)
      if (!this.#isClosed) this.#tally.sent(this.#role, level, frames)
      const packet = this.#peer.packet(level, damaged, { number: 1000 + number })
      this.#peer.deliver(packet, isMoved ? strangeAddress : undefined)
    })
  }

  #whenKeys(level: Level, act: () => void): void {
    if (this.#peer.keys.canSeal(level)) act()
  }

  #acknowledge(which: 'all' | 'newest' | 'alternate'): void {
    for (const level of [Level.Initial, Level.Handshake, Level.OneRtt]) {
      const numbers = this.#numbers[spaceOf(level)] as number[]
      const last = numbers.at(-1)
      if (last === undefined) continue
      const chosen = which === 'newest' ? [last] : numbers.filter((_, i) => which === 'all' || i % 2 === 0)
      numbers.length = 0
      this.#whenKeys(level, () => this.#peer.send(level, ackOf(chosen)))
    }
  }

  /** Verbs may refuse what the application asks of streams that are not there, and nothing else. */
  #act(act: Verb): void {
    try {
      this.#peer.act(connection => {
        if (act.verb === 'open') connection.openStream(act.direction)
        else if (act.verb === 'write') connection.write(act.id, new Uint8Array(act.length), act.fin)
        else if (act.verb === 'read') connection.read(act.id)
        else if (act.verb === 'reset') connection.reset(act.id, act.code)
        else if (act.verb === 'resetAt') connection.resetAt(act.id, act.code, act.length)
        else if (act.verb === 'stop') connection.stop(act.id, act.code)
        else if (act.verb === 'setPriority') connection.setPriority(act.id, act.urgency, act.isIncremental)
        else if (act.verb === 'sendDatagram') connection.sendDatagram(new Uint8Array(act.length), 1)
        else if (act.verb === 'updateKeys') connection.updateKeys(this.#peer.now)
        else if (act.verb === 'migrate') connection.migrate({ ...serverAddress, via: 1 }, this.#peer.now)
        else connection.close(7, 'bye', this.#peer.now)
      })
    } catch (error) {
      const isRefusal = error instanceof RangeError || error instanceof TypeError
      if (!isRefusal || !/^(stream \d+ |reliableSize )/.test(error.message)) throw error
      this.#peer.listen()
    }
  }

  #resolve(part: FramePart, level: Level): Exclude<FramePart, { of: string }> {
    if (typeof part !== 'object' || part instanceof Uint8Array) return part
    if (part.of === 'receiving' || part.of === 'sending') return this.#streamId(part.of === 'sending', part.plus)
    if (part.of === 'challenge') return this.#challenge.map(byte => byte + part.plus)
    const base = part.of === 'sent' ? this.#largest[spaceOf(level)] : this.#peer.cryptoOffset(level)
    return Math.max(0, (base as number) + part.plus)
  }

  /** In turn: of both directions, ours and the peer's; of one direction. */
  #streamId(isSending: boolean, index: number): number {
    const own = this.#role === 'client' ? 0 : 1
    const kinds = [own, 1 - own, 2 + (isSending ? own : 1 - own)]
    return 4 * Math.floor(index / 3) + (kinds[index % 3] as number)
  }

  #look(): void {
    const { heard, connection, now, datagrams } = this.#peer
    for (; this.#heard < heard.length; this.#heard++) {
      const { level, number, frames } = heard[this.#heard] as (typeof heard)[number]
      const space = spaceOf(level)
      this.#largest[space] = Math.max(this.#largest[space] as number, number)
      this.#numbers[space]?.push(number)
      this.#challenge = frames.find(isChallenge)?.data ?? this.#challenge
    }
    for (; this.#datagrams < datagrams.length; this.#datagrams++) {
      check((datagrams[this.#datagrams]?.bytes.length ?? 0) <= 1452, 'a datagram too large')
    }
    this.#lookAtEvents()
    for (let turn = 0; connection.nextTimeout() <= now; turn++) {
      check(turn < MAX_TURNS, 'nextTimeout stays in the past')
      connection.onTimeout(now)
      this.#peer.listen()
    }
    check(connection.nextTimeout() > now, 'nextTimeout is not a number')
    check(connection.memoryUsed <= MEMORY, `holds ${connection.memoryUsed} bytes`)
    check(connection.diagnostics.openStreams <= MAX_STREAMS, `${connection.diagnostics.openStreams} open streams`)
    // RFC 9000 §8.1; after a move each path has a count of its own.
    check(connection.diagnostics.sendBudget >= 0, 'sent more than the address allows')
    if (connection.isAddressValidated || connection.isHandshakeComplete) return
    const { bytesSent, bytesReceived } = connection.stats
    check(bytesSent <= 3 * bytesReceived, 'amplified')
  }

  #lookAtEvents(): void {
    const { events } = this.#peer
    check(events.length - this.#events <= MAX_EVENTS, `${events.length - this.#events} events at once`)
    for (; this.#events < events.length; this.#events++) {
      const event = events[this.#events] as ConnectionEvent
      if (event.type !== 'closed') continue
      check(!this.#isClosed, 'closed twice')
      this.#isClosed = true
      const { by, isApplication, errorCode, error } = event
      this.#tally.closed(by, isApplication, errorCode)
      if (by !== 'local' || isApplication) continue
      const cause = (error?.cause as Error | undefined)?.stack ?? error?.stack
      check(errorCode !== ErrorCode.InternalError, `called a fault of ours: ${cause}`)
      check(isKnownCode(errorCode), `closed with ${errorCode}`)
    }
  }
}

/** So that frames may be about streams of ours. */
function openAll(connection: Connection): void {
  for (let i = 0; i < STREAMS; i++) {
    connection.openStream('bidi')
    connection.openStream('uni')
  }
}

function isChallenge(frame: Frame): frame is PathFrame {
  return frame.type === FrameType.PathChallenge
}

const newToken = (): Uint8Array => new Uint8Array(50)

/** One launch for all scripts: each takes a key of its own. */
const launch = provisioned(transport)

function peerFor({ role, seed, isEarly, hasExtensions, idLength }: Script): HandMadePeer {
  const random = seededRandom(seed)
  const own = { ...transport, maxDatagramFrameSize: hasExtensions ? DATAGRAM : 0, ackFrequency: hasExtensions }
  const options: PeerOptions = {
    backend: fastBackend(length => randomBytes(random, length), false),
    transport: own,
    server: { newToken },
    id: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    idLength,
    parameters: {
      maxDatagramFrameSize: 1200,
      minAckDelay: hasExtensions ? 1000 : undefined,
      resetStreamAt: hasExtensions,
      activeConnectionIdLimit: 3,
    },
  }
  if (role === 'client') return new HandMadeServer(options)
  if (!isEarly) return new HandMadeClient(options)
  const psk = offeredPsk(launch.client.take(ORIGIN) as typeof launch.resumption, testTime, true)
  return new HandMadeClient({ ...options, server: { newToken, ...launch.server, transport: own }, psk })
}

const MAX_PLAINTEXT = 1150

function encode(
  frames: readonly FrameScript[],
  resolve: (part: FramePart) => Exclude<FramePart, { of: string }>,
): Uint8Array {
  return bytes(...frames.flatMap(({ parts }) => parts.map(resolve)))
}

function mutate(plain: Uint8Array, { how, at: far, value }: Mutation): Uint8Array {
  const at = far % (plain.length + 1)
  if (how === 'cut') return plain.subarray(0, at)
  if (how === 'repeat') return new Uint8Array(Buffer.concat([plain, plain.subarray(at)]))
  if (how === 'insert')
    return new Uint8Array(Buffer.concat([plain.subarray(0, at), Uint8Array.of(value), plain.subarray(at)]))
  const changed = plain.slice()
  if (at < plain.length) changed[at] = how === 'set' ? value : (plain[at] as number) ^ (1 << (value & 7))
  return changed
}

/** An ACK frame for these numbers, ascending. */
function ackOf(numbers: readonly number[]): Uint8Array {
  const ranges: { low: number; high: number }[] = []
  for (const number of [...numbers].reverse()) {
    const last = ranges.at(-1)
    if (last?.low === number + 1) last.low = number
    else if (last === undefined || number < last.low) ranges.push({ low: number, high: number })
  }
  const [first, ...rest] = ranges as [{ low: number; high: number }]
  const gaps = rest.flatMap(({ low, high }, i) => [(ranges[i]?.low as number) - high - 2, high - low])
  return bytes(FrameType.Ack, first.high, 0, rest.length, first.high - first.low, ...gaps)
}
