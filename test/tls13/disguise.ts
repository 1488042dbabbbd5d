// What is different in QUIC, put right in handshake messages on their way to and from a peer of plain TLS, and in what is
// hashed of them, for the transcript is of what went over the wire.

import type { Hasher } from '../../src/crypto/backend.ts'

const Type = { ClientHello: 1, ServerHello: 2, NewSessionTicket: 4, EncryptedExtensions: 8, Finished: 20 }
const EARLY_DATA = 42
const TRANSPORT_PARAMETERS = 0x39
const noParameters: readonly number[] = [0, TRANSPORT_PARAMETERS, 0, 0]

export class Disguise {
  readonly #isClient: boolean
  readonly #isEarlyDataAccepted: () => boolean
  /** Messages that were changed on their way in: as the session sees them, and as they came. */
  readonly #changed: { readonly seen: Uint8Array; readonly wire: Uint8Array }[] = []
  /** That of a client in compatibility mode, which expects to see it again (RFC 8446 §D.4). */
  #sessionId: readonly number[] = []

  constructor(isClient: boolean, isEarlyDataAccepted: () => boolean) {
    this.#isClient = isClient
    this.#isEarlyDataAccepted = isEarlyDataAccepted
  }

  /** What the session is given for a message of the peer. */
  incoming(wire: Uint8Array): Uint8Array {
    const seen = this.#seen([...wire])
    if (seen !== undefined) this.#changed.push({ seen, wire })
    return seen ?? wire
  }

  /** What the peer is given for a message of the session. */
  outgoing(seen: Uint8Array): Uint8Array {
    if (this.#isClient) return seen
    if (seen[0] === Type.ServerHello) return this.#withSessionId([...seen])
    return seen[0] === Type.EncryptedExtensions ? withoutParameters([...seen]) : seen
  }

  /** What is hashed for a message, or for a ClientHello without its binders. */
  onWire(seen: Uint8Array): Uint8Array {
    for (const changed of this.#changed) {
      const cut = changed.seen.length - seen.length
      if (cut >= 0 && seen.length > 4 && seen.every((byte, i) => byte === changed.seen[i]))
        return changed.wire.subarray(0, changed.wire.length - cut)
    }
    return this.outgoing(seen)
  }

  /** RFC 8446 §4.4.1: EndOfEarlyData stands behind the server's Finished, once that has been hashed for the 1-RTT keys. */
  watch(inner: Hasher): Hasher {
    let state: 'before' | 'finished' | 'due' | 'done' = 'before'
    const catchUp = (): void => {
      if (state !== 'due') return
      if (this.#isEarlyDataAccepted()) inner.update(Uint8Array.of(5, 0, 0, 0))
      state = 'done'
    }
    return {
      update: data => {
        catchUp()
        if (data[0] === Type.Finished && state === 'before') state = 'finished'
        inner.update(this.onWire(data))
      },
      digest: () => {
        catchUp()
        if (state === 'finished') state = 'due'
        return inner.digest()
      },
    }
  }

  #seen(wire: number[]): Uint8Array | undefined {
    const [type] = wire
    if (!this.#isClient && type === Type.ClientHello) return this.#plainHello(wire)
    if (!this.#isClient) return undefined
    if (type === Type.EncryptedExtensions) return framed(wire, [...noParameters, ...wire.slice(6)], 4)
    return type === Type.NewSessionTicket ? withQuicEarlyData(wire) : undefined
  }

  /** Without a session id, and with transport parameters in front: pre_shared_key stays the last. */
  #plainHello(wire: number[]): Uint8Array {
    const idLength = wire[38] as number
    this.#sessionId = wire.slice(39, 39 + idLength)
    const rest = wire.slice(39 + idLength)
    const suites = 2 + (((rest[0] as number) << 8) | (rest[1] as number))
    const extensions = suites + 1 + (rest[suites] as number)
    const head = [...wire.slice(0, 38), 0, ...rest.slice(0, extensions)]
    return framed(head, [...noParameters, ...rest.slice(extensions + 2)], head.length)
  }

  #withSessionId(seen: number[]): Uint8Array {
    const body = [...seen.slice(4, 38), this.#sessionId.length, ...this.#sessionId, ...seen.slice(39)]
    return Uint8Array.of(seen[0] as number, 0, body.length >>> 8, body.length, ...body)
  }
}

/** The first `at` bytes of `message`, and `extensions` as a block behind them, with the length of the message put right. */
function framed(message: number[], extensions: number[], at: number): Uint8Array {
  const bytes = Uint8Array.of(...message.slice(0, at), extensions.length >>> 8, extensions.length, ...extensions)
  const length = bytes.length - 4
  bytes.set([0, length >>> 8, length], 1)
  return bytes
}

function withoutParameters(message: number[]): Uint8Array {
  const kept = extensionsOf(message, 4).filter(extension => extension[1] !== TRANSPORT_PARAMETERS || extension[0] !== 0)
  return framed(message, kept.flat(), 4)
}

/** RFC 9001 §4.6.1: QUIC has one value alone where TLS has a number of bytes. */
function withQuicEarlyData(message: number[]): Uint8Array {
  const nonceEnd = 13 + (message[12] as number)
  const at = nonceEnd + 2 + (((message[nonceEnd] as number) << 8) | (message[nonceEnd + 1] as number))
  const changed = extensionsOf(message, at).map(extension =>
    extension[1] === EARLY_DATA ? [0, EARLY_DATA, 0, 4, 255, 255, 255, 255] : extension,
  )
  return framed(message, changed.flat(), at)
}

/** Each with type and length, of the block at `at`. */
function extensionsOf(message: number[], at: number): number[][] {
  const list: number[][] = []
  for (let start = at + 2; start < message.length; ) {
    const end = start + 4 + (((message[start + 2] as number) << 8) | (message[start + 3] as number))
    list.push(message.slice(start, end))
    start = end
  }
  return list
}
