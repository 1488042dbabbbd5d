// One end of a connection that carries bulk: bytes over some of its streams, counted as they come.

const MAX_PIECE = 64 * 1024
const zeros = new Uint8Array(MAX_PIECE)

export class Bulk {
  #streams = []
  /** Both from the beginning: bytes may come before we are told to wait for them. */
  #received = 0
  #expected = 0
  #onExpected = () => {}

  /** Reads whatever comes on it, for ever; the first `greeting` bytes are nobody's bulk. */
  add(stream, greeting) {
    this.#streams.push(stream)
    this.#expected += greeting
    this.#read(stream).catch(() => {})
  }

  get streamCount() {
    return this.#streams.length
  }

  /** Spreads `total` bytes evenly over the first `active` streams, all of them at once, in pieces; none of them ends. */
  async send(total, active, piece = MAX_PIECE) {
    const share = Math.ceil(total / active)
    await Promise.all(this.#streams.slice(0, active).map(stream => sendOn(stream, share, piece)))
  }

  /** Resolves when as many more bytes have come as a `send` of the same arguments sends. */
  receive(total, active) {
    this.#expected += Math.ceil(total / active) * active
    return new Promise(resolve => {
      this.#onExpected = resolve
      this.#look()
    })
  }

  async #read(stream) {
    for await (const chunk of stream) {
      this.#received += chunk.length
      this.#look()
    }
  }

  #look() {
    if (this.#received === this.#expected) this.#onExpected()
  }
}

async function sendOn(stream, share, piece) {
  const whole = zeros.subarray(0, piece)
  for (let left = share; left > 0; left -= piece) {
    await stream.write(left < piece ? zeros.subarray(0, left) : whole)
  }
}
