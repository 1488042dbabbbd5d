// An encoder and a decoder of ours, joined; everything is acknowledged at once.

import { QpackDecoder } from '../../dist/http3/qpack/decoder.js'
import { DecoderStream } from '../../dist/http3/qpack/decoder-stream.js'
import { QpackEncoder } from '../../dist/http3/qpack/encoder.js'
import { EncoderStream } from '../../dist/http3/qpack/encoder-stream.js'

export class Codec {
  /** Bytes of sections and instructions so far. */
  bytes = 0
  #encoder = new QpackEncoder()
  #decoder
  #encoderStream
  #decoderStream
  #lists
  #id = 0

  constructor(capacity, lists) {
    this.#decoder = new QpackDecoder({
      maxFieldSectionSize: 65_536,
      maxFields: 256,
      maxTableCapacity: capacity,
      maxBlockedStreams: 100,
    })
    this.#encoder.setLimits(capacity, 100)
    this.#encoderStream = new EncoderStream(this.#decoder.table, capacity)
    this.#decoderStream = new DecoderStream(this.#encoder)
    this.#lists = lists
  }

  /** Every list once: µs of encoding and of decoding, instructions and acknowledgments included. */
  pass() {
    let encode = 0
    let decode = 0
    for (const list of this.#lists) {
      const begun = performance.now()
      const section = this.#encoder.encode(list, this.#id, true)
      const instructions = this.#encoder.takeInstructions()
      const encoded = performance.now()
      if (instructions !== undefined) this.#encoderStream.receive(instructions)
      const fields = this.#decoder.decode(section, this.#id)
      const answer = this.#decoder.takeInstructions()
      const decoded = performance.now()
      if (answer !== undefined) this.#decoderStream.receive(answer)
      const done = performance.now()
      encode += encoded - begun + done - decoded
      decode += decoded - encoded
      this.bytes += section.length + (instructions?.length ?? 0)
      this.#id += 4
      if (fields.length !== list.length) throw new Error('not what was encoded')
    }
    return { encode: encode * 1000, decode: decode * 1000 }
  }
}
