// The two protocols that `serve` speaks, each for all of its connections.

import {
  Hq09Server,
  type Http3Handler,
  Http3Server,
  type Http3ServerOptions,
  type Http3Transport,
  type Http3TransportEvent,
} from '../http3/index.ts'
import type { Application, QuicSession } from '../index.ts'
import { contentOf, type FileTree } from './files.ts'

export interface Service {
  seat(session: QuicSession): Application
}

export class Http3Service implements Service {
  readonly #handler: Http3Handler
  readonly #options: Http3ServerOptions

  constructor(handler: Http3Handler, options: Http3ServerOptions) {
    this.#handler = handler
    this.#options = options
  }

  seat(session: QuicSession): Application {
    return new Http3Server(session.transport, this.#handler, this.#options)
  }
}

/** HTTP/0.9 has no word for "no more requests": those that come while the last are answered are answered, too. */
export class HqService implements Service {
  readonly #tree: FileTree

  constructor(tree: FileTree) {
    this.#tree = tree
  }

  seat(session: QuicSession): Application {
    const unfinished = new Set<number>()
    let onIdle = (): void => {}
    const done = (id: number): void => {
      unfinished.delete(id)
      if (unfinished.size === 0) onIdle()
    }
    const server = new Hq09Server(tellingResets(session.transport, done), path => this.#answer(path))
    return {
      onEvent: (event: Http3TransportEvent): void => {
        if (event.type === 'streamOpened') unfinished.add(event.id)
        server.onEvent(event)
        if (event.type === 'streamFinished') done(event.id)
      },
      close: () =>
        new Promise(resolve => {
          onIdle = resolve
          if (unfinished.size === 0) resolve()
        }),
    }
  }

  async #answer(path: string): Promise<ReadableStream<Uint8Array> | Uint8Array | undefined> {
    const found = await this.#tree.find(path.replace(/[?#].*$/, ''))
    return found === undefined || found === 'directory' ? undefined : contentOf(found)
  }
}

/** The same transport, and `onReset` told of each stream that is given up: no event says so. */
function tellingResets(transport: Http3Transport, onReset: (id: number) => void): Http3Transport {
  return {
    get isHandshakeConfirmed() {
      return transport.isHandshakeConfirmed
    },
    openStream: direction => transport.openStream(direction),
    write: (id, bytes, fin) => transport.write(id, bytes, fin),
    read: id => transport.read(id),
    count: id => transport.count(id),
    stop: (id, errorCode) => transport.stop(id, errorCode),
    close: (errorCode, reason) => transport.close(errorCode, reason),
    isEarly: id => transport.isEarly(id),
    reset(id, errorCode) {
      transport.reset(id, errorCode)
      onReset(id)
    },
  }
}
