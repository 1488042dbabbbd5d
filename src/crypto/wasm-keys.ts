// Keys in the memory of the WebAssembly module: of ChaCha20-Poly1305 (RFC 9001 §5.3, §5.4.4; RFC 8439 §2.8), and of
// Initial packets.

import type { Aead, PacketKey } from './backend.ts'
import { nodeBackend } from './backend-node.ts'
import { littleEndian } from './chacha-block.ts'
import { type CipherSuite, INITIAL_SUITE, IV_LENGTH, TAG_LENGTH } from './cipher-suite.ts'
import { checkSealable, MaskedHeader } from './header-protection.ts'
import { singleBlockLabel } from './hkdf.ts'
import type { VersionSecrets } from './version-secrets.ts'
import { putKey } from './wasm-hash.ts'
import { IN_TEXT, MASK, type WasmExports, type WasmMemory, WORKSPACE } from './wasm-memory.ts'

/** What is longer goes to node:crypto, whose calls cost more and whose bytes cost less (`npm run bench:micro`). */
export const MAX_WASM_TEXT: number = 4096

const KEY_LENGTH = 32
const DISCARDED = 'the key has been discarded'
/** Of what `derive` puts into the module: wasm/keys.ts. */
const LABEL_LENGTH = 32
/** As in wasm/layout.ts: without it a slot is for ChaCha20-Poly1305. */
const CIPHER = 76
const AES = 1

/** What `derive` has asked for so far: two versions, two lengths of key. */
const knownLabels: { readonly labels: VersionSecrets; readonly keyLength: number; readonly text: Uint8Array }[] = []

/** The labels of packet key, header key and IV as wasm/keys.ts takes them, 32 bytes each. */
function labelText(labels: VersionSecrets, keyLength: number): Uint8Array {
  for (const known of knownLabels) if (known.labels === labels && known.keyLength === keyLength) return known.text
  const text = new Uint8Array(3 * LABEL_LENGTH)
  text.set(singleBlockLabel(labels.keyLabel, keyLength))
  text.set(singleBlockLabel(labels.hpLabel, keyLength), LABEL_LENGTH)
  text.set(singleBlockLabel(labels.ivLabel, IV_LENGTH), 2 * LABEL_LENGTH)
  knownLabels.push({ labels, keyLength, text })
  return text
}

/** Where a header key and one packet key lie, until they are discarded. */
export class KeySlot {
  readonly exports: WasmExports
  readonly memory: WasmMemory
  #at: number

  private constructor(exports: WasmExports, memory: WasmMemory) {
    this.exports = exports
    this.memory = memory
    this.#at = 0
  }

  /** Undefined: there is no room. */
  static take(exports: WasmExports, memory: WasmMemory): KeySlot | undefined {
    const slot = new KeySlot(exports, memory)
    const at = memory.takeSlot(slot)
    if (at === undefined) return undefined
    slot.#at = at
    return slot
  }

  /** The slot belongs to somebody else afterwards, so a discarded key is worse than none. */
  get at(): number {
    if (this.#at === 0) throw new TypeError(DISCARDED)
    return this.#at
  }

  put(suite: CipherSuite | undefined, packetKey: Uint8Array, headerKey: Uint8Array, iv: Uint8Array): this {
    const { bytes } = this.memory
    if (suite === INITIAL_SUITE) bytes[this.#at + CIPHER] = AES
    bytes.set(packetKey, this.#at)
    bytes.set(headerKey, this.#at + KEY_LENGTH)
    bytes.set(iv, this.#at + 2 * KEY_LENGTH)
    return this
  }

  /** RFC 9001 §5.1: all of them from a traffic secret of SHA-256. */
  derive(suite: CipherSuite, labels: VersionSecrets, secret: Uint8Array): this {
    const { bytes } = this.memory
    if (suite === INITIAL_SUITE) bytes[this.#at + CIPHER] = AES
    putKey(bytes, secret)
    bytes.set(labelText(labels, suite.keyLength), IN_TEXT)
    this.exports.deriveKeys(this.#at)
    return this
  }

  get packetKey(): Uint8Array {
    return this.memory.bytes.subarray(this.at, this.at + KEY_LENGTH)
  }

  get headerKey(): Uint8Array {
    return this.memory.bytes.subarray(this.at + KEY_LENGTH, this.at + 2 * KEY_LENGTH)
  }

  get iv(): Uint8Array {
    return this.memory.bytes.subarray(this.at + 2 * KEY_LENGTH, this.at + 2 * KEY_LENGTH + IV_LENGTH)
  }

  /** The header key stays: it outlives key updates. */
  forgetPacketKey(): void {
    if (this.#at === 0) return
    this.packetKey.fill(0)
    this.iv.fill(0)
    this.exports.forgetHashes()
  }

  discard(): void {
    if (this.#at === 0) return
    this.memory.release(this, this.#at)
    this.exports.forgetHashes()
    this.#at = 0
  }
}

export class WasmHeader extends MaskedHeader {
  readonly slot: KeySlot
  readonly #mask: Uint8Array

  constructor(slot: KeySlot) {
    super()
    this.slot = slot
    this.#mask = slot.memory.bytes.subarray(MASK, MASK + 8)
  }

  protected override mask(packet: Uint8Array, at: number): Uint8Array {
    this.slot.exports.mask(
      this.slot.at,
      littleEndian(packet, at),
      littleEndian(packet, at + 4),
      littleEndian(packet, at + 8),
      littleEndian(packet, at + 12),
    )
    return this.#mask
  }

  override discard(): void {
    this.slot.discard()
  }
}

export class WasmPacketKey implements PacketKey {
  readonly suite: CipherSuite
  #slot: KeySlot | undefined
  readonly #exports: WasmExports
  readonly #memory: WasmMemory
  readonly #bytes: Uint8Array
  readonly #header: WasmHeader
  #large: PacketKey | undefined = undefined

  constructor(suite: CipherSuite, slot: KeySlot, header: WasmHeader) {
    this.suite = suite
    this.#slot = slot
    this.#exports = slot.exports
    this.#memory = slot.memory
    this.#bytes = slot.memory.bytes
    this.#header = header
  }

  seal(
    buffer: Uint8Array,
    start: number,
    numberOffset: number,
    numberLength: number,
    end: number,
    packetNumber: number,
  ): number {
    checkSealable(buffer, numberOffset, end)
    if (end - start > MAX_WASM_TEXT) {
      return this.#forLarge().seal(buffer, start, numberOffset, numberLength, end, packetNumber)
    }
    const bytes = this.#bytes
    const isOurs = buffer.buffer === bytes.buffer
    // An outgoing buffer is the module's own memory; anything else visits it.
    const at = isOurs ? buffer.byteOffset + start : WORKSPACE
    if (!isOurs) bytes.set(buffer.subarray(start, end), at)
    this.#exports.sealPacket(
      this.#usable.at,
      at,
      at + numberOffset - start,
      numberLength,
      at + end - start,
      Math.floor(packetNumber / 0x100000000),
      packetNumber >>> 0,
    )
    if (!isOurs) buffer.set(bytes.subarray(at, at + end - start + TAG_LENGTH), start)
    return end + TAG_LENGTH
  }

  open(
    buffer: Uint8Array,
    start: number,
    payloadStart: number,
    end: number,
    packetNumber: number,
  ): Uint8Array | undefined {
    const tagStart = end - TAG_LENGTH
    if (tagStart < payloadStart) return undefined
    if (end - start > MAX_WASM_TEXT) return this.#forLarge().open(buffer, start, payloadStart, end, packetNumber)
    this.#bytes.set(end - start === buffer.length ? buffer : buffer.subarray(start, end), WORKSPACE)
    const payload = WORKSPACE + payloadStart - start
    const isOpen = this.#exports.openPacket(
      this.#usable.at,
      WORKSPACE,
      payload,
      WORKSPACE + end - start,
      Math.floor(packetNumber / 0x100000000),
      packetNumber >>> 0,
    )
    if (isOpen === 0) return undefined
    buffer.set(this.#memory.view(payload, tagStart - payloadStart), payloadStart)
    return buffer.subarray(payloadStart, tagStart)
  }

  /** The first packet key of a header key lies in its slot, and leaves it there. */
  discard(): void {
    if (this.#slot === this.#header.slot) this.#slot.forgetPacketKey()
    else this.#slot?.discard()
    this.#slot = undefined
    this.#large = undefined
  }

  get #usable(): KeySlot {
    if (this.#slot === undefined) throw new TypeError(DISCARDED)
    return this.#slot
  }

  #forLarge(): PacketKey {
    const { packetKey, iv } = this.#usable
    this.#large ??= nodeBackend.packetKey(this.suite, packetKey.slice(0, this.suite.keyLength), iv, this.#header)
    return this.#large
  }
}

/** For tickets, tokens and identities: short texts, longer ones by node:crypto. */
export class WasmAead implements Aead {
  readonly #slot: KeySlot
  readonly #large: Aead

  constructor(slot: KeySlot, key: Uint8Array) {
    this.#slot = slot.put(undefined, key, none, none)
    this.#large = nodeBackend.aead('chacha20-poly1305', key)
  }

  seal(nonce: Uint8Array, associatedData: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (!isShort(associatedData, plaintext)) return this.#large.seal(nonce, associatedData, plaintext)
    const { exports, memory, at } = this.#slot
    const text = this.#put(nonce, associatedData, plaintext)
    exports.encrypt(at, WORKSPACE, AAD, associatedData.length, text, plaintext.length)
    return memory.bytes.slice(text, text + plaintext.length + TAG_LENGTH)
  }

  open(nonce: Uint8Array, associatedData: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    if (!isShort(associatedData, ciphertext)) return this.#large.open(nonce, associatedData, ciphertext)
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return undefined
    const { exports, memory, at } = this.#slot
    const text = this.#put(nonce, associatedData, ciphertext)
    if (exports.decrypt(at, WORKSPACE, AAD, associatedData.length, text, length) === 0) return undefined
    return memory.bytes.slice(text, text + length)
  }

  /** Returns where the text is. */
  #put(nonce: Uint8Array, associatedData: Uint8Array, text: Uint8Array): number {
    const { bytes } = this.#slot.memory
    const at = AAD + associatedData.length
    bytes.set(nonce, WORKSPACE)
    bytes.set(associatedData, AAD)
    bytes.set(text, at)
    return at
  }
}

function isShort(associatedData: Uint8Array, text: Uint8Array): boolean {
  return associatedData.length + text.length <= MAX_WASM_TEXT
}

/** Behind the nonce. */
const AAD = WORKSPACE + 16
const none = new Uint8Array(0)
