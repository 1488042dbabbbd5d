// The WebAssembly module and its memory, which is what it is from the start: scratch space of the module, a place for
// packets that lie elsewhere, slots for keys, buffers for outgoing datagrams. It never grows, so that no view of it is
// ever taken away; whoever gets nothing does without.

import { wasmModule } from './wasm-module.ts'

/** What src/crypto/wasm exports. Addresses and lengths are bytes, numbers two halves of 32 bits. */
export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  sealPacket(slot: number, packet: number, number: number, length: number, end: number, high: number, low: number): void
  openPacket(slot: number, packet: number, payload: number, end: number, high: number, low: number): number
  mask(slot: number, sample0: number, sample1: number, sample2: number, sample3: number): void
  encrypt(slot: number, nonce: number, aad: number, aadLength: number, text: number, length: number): void
  decrypt(slot: number, nonce: number, aad: number, aadLength: number, text: number, length: number): number
  sha256(length: number): void
  sha256Start(): void
  sha256Blocks(length: number): void
  sha256Finish(length: number, total: number): void
  hmacSha256(length: number): void
  deriveKeys(slot: number): void
  forgetHashes(): void
}

// The map: the first addresses are those of src/crypto/wasm/layout.ts.
export const MASK: number = 1024 + 288
export const HASH: number = 1024 + 1024
export const IN_KEY: number = 4096
export const IN_TEXT: number = 4160
export const IN_TEXT_LENGTH: number = 2048
/** Where a packet or text is put that lies elsewhere. */
export const WORKSPACE: number = 8192
export const WORKSPACE_LENGTH: number = 8192
const SLOTS = WORKSPACE + WORKSPACE_LENGTH
const SLOT_LENGTH = 80
/** Some seven for each connection in its handshake, two to five afterwards; further keys are those of node:crypto. */
export const MAX_KEY_SLOTS: number = 100_000
const BUFFERS = SLOTS + MAX_KEY_SLOTS * SLOT_LENGTH
/** Buffers begin where a cache line does. */
const BUFFER_ALIGNMENT = 64

/** Undefined where there is no WebAssembly with SIMD, or no room for it. */
export function instantiate(): WasmExports | undefined {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(fromBase64(wasmModule))).exports
  } catch {
    return undefined
  }
}

/** A loop, because `Uint8Array.from` takes 3 ms for it in a process that has just begun. */
function fromBase64(text: string): Uint8Array {
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}

/** Key slots and packet buffers. What their owners do not give back comes back when they are collected. */
export class WasmMemory {
  readonly bytes: Uint8Array
  #lastView: Uint8Array
  readonly #freeSlots: number[] = []
  #nextSlot = SLOTS
  #nextBuffer = BUFFERS
  /** By their size, which an endpoint hardly ever changes. */
  readonly #freeBuffers = new Map<number, number[]>()
  readonly #lostSlots = new FinalizationRegistry<number>(slot => this.#giveBack(slot))
  readonly #lostBuffers = new FinalizationRegistry<{ at: number; size: number }>(({ at, size }) => {
    this.#freeBuffers.get(size)?.push(at)
  })

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer)
    this.#lastView = this.bytes
  }

  /** Room for a packet key, a header key and an IV, until `release` or the end of `owner`. Undefined: none is left. */
  takeSlot(owner: object): number | undefined {
    const slot = this.#freeSlots.pop() ?? this.#newSlot()
    if (slot !== undefined) this.#lostSlots.register(owner, slot, owner)
    return slot
  }

  /** What is in it is erased. */
  release(owner: object, slot: number): void {
    this.#lostSlots.unregister(owner)
    this.#giveBack(slot)
  }

  /** For a packet of ordinary traffic, which is as long as the one before. */
  view(at: number, length: number): Uint8Array {
    const last = this.#lastView
    if (last.byteOffset === at && last.length === length) return last
    this.#lastView = new Uint8Array(this.bytes.buffer, at, length)
    return this.#lastView
  }

  /** Plain memory when there is no more of this one: what is sealed there is copied. */
  takeBuffer(size: number): Uint8Array {
    const at = this.#freeBuffers.get(size)?.pop() ?? this.#newBuffer(size)
    if (at === undefined) return new Uint8Array(size)
    const buffer = new Uint8Array(this.bytes.buffer, at, size)
    this.#lostBuffers.register(buffer, { at, size })
    return buffer
  }

  #giveBack(slot: number): void {
    this.bytes.fill(0, slot, slot + SLOT_LENGTH)
    this.#freeSlots.push(slot)
  }

  #newSlot(): number | undefined {
    if (this.#nextSlot >= BUFFERS) return undefined
    const slot = this.#nextSlot
    this.#nextSlot += SLOT_LENGTH
    return slot
  }

  #newBuffer(size: number): number | undefined {
    const at = this.#nextBuffer
    const next = Math.ceil((at + size) / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT
    if (next > this.bytes.length) return undefined
    this.#nextBuffer = next
    if (!this.#freeBuffers.has(size)) this.#freeBuffers.set(size, [])
    return at
  }
}

/** Node's types do not know what every engine has. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: WasmExports }
}
