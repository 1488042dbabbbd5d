// s_server and s_client of OpenSSL as processes of their own, on loopback.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const vectors = fileURLToPath(new URL('../vectors/', import.meta.url))

/** Files of test/vectors, as arguments. */
export const files = {
  ca: join(vectors, 'x509/ca.pem'),
  clientCa: join(vectors, 'tls13/client-ca.pem'),
  client: ['-cert', join(vectors, 'tls13/client.pem'), '-key', join(vectors, 'tls13/client.key')],
  identity: (name: string): string[] => ['-cert', join(vectors, `${name}.pem`), '-key', join(vectors, `${name}.key`)],
}

/** A folder that is gone after `act`. */
export async function inFolder<T>(act: (path: (name: string) => string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'zerotrip-openssl-'))
  try {
    return await act(name => join(folder, name))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function write(path: string, text: string): string {
  writeFileSync(path, text)
  return path
}

/** A process, and what it has printed that nobody has waited for. */
export class Program implements AsyncDisposable {
  readonly #process: ChildProcess
  #printed = ''
  #wake: () => void = () => undefined

  constructor(...args: string[]) {
    this.#process = spawn('openssl', args, { stdio: 'pipe' })
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.setEncoding('latin1').on('data', (text: string) => {
        this.#printed += text
        this.#wake()
      })
    this.#process.once('exit', () => this.#wake())
    this.#process.once('error', error => {
      this.#printed += String(error)
      this.#wake()
    })
  }

  /** Waits until this is printed, once for each wait; two streams have no order. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#printed)
      if (match !== null) {
        this.#printed = this.#printed.slice(0, match.index) + this.#printed.slice(match.index + match[0].length)
        return match
      }
      const { exitCode, signalCode, pid } = this.#process
      if (pid === undefined || exitCode !== null || signalCode !== null)
        throw new Error(`no ${pattern} in what openssl printed:\n${this.#printed}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  type(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill()
    await exit
  }
}

/** An `openssl s_server` that speaks TLS 1.3 and h3. */
export class OpensslServer extends Program {
  #port: number | undefined

  constructor(...args: string[]) {
    super('s_server', '-accept', '127.0.0.1:0', '-tls1_3', '-alpn', 'h3', ...args)
  }

  async connect(): Promise<Socket> {
    this.#port ??= Number((await this.printed(/ACCEPT \S+:(\d+)/))[1])
    return connect(this.#port, '127.0.0.1')
  }
}

/** Runs `openssl s_client` against what `accept` makes of the socket. */
export async function opensslClient<T>(accept: (socket: Socket) => T, ...args: string[]): Promise<[Program, T]> {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const accepted = once(listener, 'connection').then(([socket]) => accept(socket as Socket))
  const to = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', files.ca, '-verify_return_error']
  const program = new Program('s_client', ...to, '-tls1_3', '-alpn', 'h3', ...args)
  const made = await accepted
  listener.close()
  return [program, made]
}
