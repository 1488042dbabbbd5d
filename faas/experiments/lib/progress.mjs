// How far an experiment is, on stderr: in one line where somebody looks, else in a line now and then.

const EVERY = 10_000

export class Progress {
  #name
  #shown = 0
  #text = ''

  constructor(name) {
    this.#name = name
  }

  /** `share`: from 0 to 1; `what`: what is being done. */
  show = (share, what = '') => {
    const text = `${this.#name}: ${Math.floor(share * 100)} % ${what}`
    if (text === this.#text) return
    this.#text = text
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
    else if (performance.now() - this.#shown >= EVERY) {
      this.#shown = performance.now()
      process.stderr.write(`${text}\n`)
    }
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}
