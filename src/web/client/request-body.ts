// Bodies of requests, of all the kinds that fetch and undici take.

import { Readable } from 'node:stream'
import { limits } from '../../limits.ts'

/** What a body comes to. */
export interface RequestBody {
  /** Known as a whole: it can be sent again. */
  readonly bytes: Uint8Array | undefined
  /** In pieces, as they come. */
  readonly pieces: BodyPieces | undefined
  /** What its kind says of its type. */
  readonly type: string | undefined
  /** -1: not known. */
  readonly length: number
}

/** A source that is read once. What was read is kept, up to a limit, so that it can be sent again. */
export class BodyPieces {
  readonly #source: AsyncIterator<Uint8Array>
  #kept: Uint8Array[] = []
  /** Pieces that are not kept any more. */
  #dropped = 0
  #size = 0
  #isEnded = false
  #reading: Promise<void> | undefined = undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** All that was read is still here. */
  get canRepeat(): boolean {
    return this.#dropped === 0
  }

  /** The piece with number `n`, from 0; undefined behind the last. Rejects with what the source throws. */
  async piece(n: number): Promise<Uint8Array | undefined> {
    while (n >= this.#dropped + this.#kept.length && !this.#isEnded) {
      this.#reading ??= this.#read()
      await this.#reading
    }
    const piece = this.#kept[n - this.#dropped]
    if (this.#size > limits.repeatableBody && piece !== undefined) {
      this.#kept.splice(0, n + 1 - this.#dropped)
      this.#dropped = n + 1
    }
    return piece
  }

  /** No more is wanted of it. */
  cancel(): void {
    this.#isEnded = true
    this.#kept = []
    this.#source.return?.().catch(ignore)
  }

  async #read(): Promise<void> {
    const { value, done } = await this.#source.next()
    this.#reading = undefined
    if (this.#isEnded) return
    if (done) this.#isEnded = true
    else {
      this.#kept.push(value)
      this.#size += value.length
    }
  }
}

/** Throws a TypeError for what cannot be a body. */
export function bodyOf(body: unknown): RequestBody {
  if (body === undefined || body === null) return none
  if (typeof body === 'string') return ofBytes(Buffer.from(body))
  if (body instanceof Uint8Array) return ofBytes(body)
  if (body instanceof ArrayBuffer) return ofBytes(new Uint8Array(body))
  if (ArrayBuffer.isView(body)) return ofBytes(new Uint8Array(body.buffer, body.byteOffset, body.byteLength))
  // What a request of fetch would make of it: multipart with a boundary, a blob with its type.
  if (isFormLike(body)) return ofRequest(body as FormData)
  if (typeof body === 'object' && (Symbol.asyncIterator in body || Symbol.iterator in body)) {
    return {
      bytes: undefined,
      pieces: new BodyPieces(piecesOf(body as AsyncIterable<unknown>)),
      type: undefined,
      length: -1,
    }
  }
  throw new TypeError('a body is a string, bytes, a FormData, Blob or URLSearchParams, or something to iterate over')
}

function ofBytes(bytes: Uint8Array): RequestBody {
  return { bytes, pieces: undefined, type: undefined, length: bytes.length }
}

/** By name, as there may be classes of undici beside node's own. */
function isFormLike(body: object | unknown): boolean {
  const tag = Object.prototype.toString.call(body)
  return (
    tag === '[object FormData]' ||
    tag === '[object URLSearchParams]' ||
    tag === '[object Blob]' ||
    tag === '[object File]'
  )
}

function ofRequest(body: FormData | Blob | URLSearchParams): RequestBody {
  const response = new Response(copyOf(body) as never)
  const length = body instanceof Blob ? body.size : -1
  const pieces = new BodyPieces(piecesOf(response.body as unknown as AsyncIterable<unknown>))
  return { bytes: undefined, pieces, type: response.headers.get('content-type') ?? undefined, length }
}

/** A FormData of undici's own class is copied into node's. */
function copyOf(body: FormData | Blob | URLSearchParams): FormData | Blob | URLSearchParams {
  if (body instanceof FormData || Object.prototype.toString.call(body) !== '[object FormData]') return body
  const copy = new FormData()
  for (const [name, value] of body as unknown as FormData) copy.append(name, value as never)
  return copy
}

async function* piecesOf(body: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<Uint8Array> {
  const source = body instanceof Readable || Symbol.asyncIterator in body ? body : Readable.from(body)
  for await (const chunk of source as AsyncIterable<unknown>) {
    if (typeof chunk === 'string') yield Buffer.from(chunk)
    else if (chunk instanceof Uint8Array) yield chunk
    else throw new TypeError('a body consists of Uint8Arrays or strings')
  }
}

function ignore(): void {}

const none: RequestBody = { bytes: undefined, pieces: undefined, type: undefined, length: 0 }
