// Connection ids that say which of several processes made them, as QUIC-LB writes them (draft-ietf-quic-load-balancers
// §5): plain, or as one AES block that only who has the key can read.

import { type Cipher, createCipheriv, createDecipheriv, type Decipher, randomFillSync } from 'node:crypto'
import type { ConnectionIdGenerator } from './router.ts'

export interface WorkerConnectionIdsOptions {
  /** The number of this process, 0 to 65,535. */
  readonly worker: number
  /**
   * 16 bytes that all of them share. With it ids are 17 bytes and look random: nobody can link two of one connection by
   * them (RFC 9000 §9.5), or count processes. Default none: 11 bytes, the number readable in the second and third.
   */
  readonly key?: Uint8Array
  /** Which configuration of a load balancer these ids belong to, 0 to 6: the first three bits. Default 0. */
  readonly configuration?: number
}

const KEY_LENGTH = 16
/** Of the server id: the worker's number. */
const WORKER_LENGTH = 2
const BLOCK_LENGTH = 16
/** Bytes nobody can guess, of a plain id. */
const PLAIN_NONCE_LENGTH = 8
/** QUIC-LB: the last one, 7, is for ids that cannot be routed. */
const MAX_CONFIGURATION = 6

export class WorkerConnectionIds implements ConnectionIdGenerator {
  /** Of every id. */
  readonly length: number
  readonly #worker: number
  readonly #configuration: number
  readonly #encipher: Cipher | undefined
  readonly #decipher: Decipher | undefined

  /** Throws a RangeError for what does not fit. */
  constructor({ worker, key, configuration = 0 }: WorkerConnectionIdsOptions) {
    assertInteger('worker', worker, 0xffff)
    assertInteger('configuration', configuration, MAX_CONFIGURATION)
    if (key !== undefined && key.length !== KEY_LENGTH) {
      throw new RangeError(`key must have ${KEY_LENGTH} bytes, not ${key.length}`)
    }
    this.#worker = worker
    this.#configuration = configuration
    this.#encipher = key && createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    this.#decipher = key && createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    this.length = 1 + (key ? BLOCK_LENGTH : WORKER_LENGTH + PLAIN_NONCE_LENGTH)
  }

  /** An id of this process. */
  generate(): Uint8Array {
    const id = randomFillSync(new Uint8Array(this.length))
    id[0] = (this.#configuration << 5) | ((id[0] as number) & 0x1f)
    id[1] = this.#worker >> 8
    id[2] = this.#worker & 0xff
    if (this.#encipher) id.set(this.#encipher.update(id.subarray(1)), 1)
    return id
  }

  /** The worker that made an id; of an id that none made, undefined or any number. */
  workerOf(id: Uint8Array): number | undefined {
    if (id.length !== this.length || (id[0] as number) >> 5 !== this.#configuration) return undefined
    const block = id.subarray(1)
    const plain = this.#decipher ? this.#decipher.update(block) : block
    return ((plain[0] as number) << 8) | (plain[1] as number)
  }

  /**
   * Which of `workers` processes, counted from 0, a datagram with this id is for: who made it, or, while a client still
   * uses the id it chose itself, one of them. All with one key agree about it.
   */
  ownerOf(id: Uint8Array, workers: number): number {
    const maker = this.workerOf(id)
    return maker !== undefined && maker < workers ? maker : this.#hash(id) % workers
  }

  /** With a key, nobody outside can choose whom an id leads to. */
  #hash(id: Uint8Array): number {
    if (this.#encipher === undefined) return fnv1a(id)
    const block = new Uint8Array(BLOCK_LENGTH)
    // Of a longer one the rest does not matter: all see the same.
    block.set(id.subarray(0, BLOCK_LENGTH))
    const [a, b, c] = this.#encipher.update(block) as unknown as [number, number, number]
    return (a << 16) | (b << 8) | c
  }
}

/** For `connectionIds` of an endpoint that is one of several processes at one address. Throws a RangeError. */
export function workerConnectionIds(options: WorkerConnectionIdsOptions): WorkerConnectionIds {
  return new WorkerConnectionIds(options)
}

function assertInteger(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return
  throw new RangeError(`${name} must be an integer from 0 to ${max}, not ${value}`)
}

function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
