// Mode `http`: the function is a server in a process of its own, started once; requests are passed on to it.

import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { orAborted } from '../../http/abort.ts'
import { callOf } from '../../http/call.ts'
import { Forwarder } from '../../http/forwarder.ts'
import { type FunctionHandler, plain } from '../../http/handler.ts'
import { webBody } from '../../http/passed.ts'
import { Deadline } from '../deadline.ts'
import type { WatchdogSettings } from '../settings.ts'
import { ended, start } from './child.ts'

type UpstreamSettings = Pick<WatchdogSettings, 'bufferBody' | 'command' | 'execTimeout' | 'log' | 'readTimeout' | 'uid'>

/** ms between two looks whether the function listens. */
const LOOK_EVERY = 10

export class Upstream {
  readonly url: URL
  /** Resolves, with its exit code or signal, when the process is gone: the watchdog has nothing to stand in front of. */
  readonly gone: Promise<number | string>
  readonly #child: ChildProcess
  readonly #listening: Promise<void>
  #isListening = false

  private constructor(url: URL, child: ChildProcess) {
    this.url = url
    this.#child = child
    this.gone = ended(child)
    const stop = new AbortController()
    this.gone.then(() => stop.abort())
    this.#listening = untilListening(url, stop.signal)
    this.#listening.then(
      () => {
        this.#isListening = true
      },
      () => {},
    )
  }

  /** Rejects when there is no such program. */
  static async start(url: URL, settings: UpstreamSettings, environment: NodeJS.ProcessEnv): Promise<Upstream> {
    return new Upstream(url, await start({ ...settings, environment, isFilter: false }))
  }

  /** Requests that come before the function listens wait for it: the first packet may be there before it is. */
  handler(settings: UpstreamSettings): FunctionHandler {
    const forwarder = new Forwarder(this.url)
    return async request => {
      const deadline = new Deadline(request, settings.execTimeout)
      try {
        if (!this.#isListening) await orAborted(this.#listening, deadline.signal)
        const call = await callOf(request, settings.bufferBody, settings.readTimeout)
        const answer = await forwarder.forward(call, deadline.signal)
        return { ...answer, body: webBody(answer) }
      } catch (error) {
        if (deadline.isOver) return plain(504, 'the function took too long\n')
        throw error
      }
    }
  }

  /** Asks it to end, and no longer asks after `deadline` ms. Resolves when it is gone. */
  async stop(deadline: number): Promise<void> {
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), deadline)
    this.#child.kill('SIGTERM')
    await this.gone
    clearTimeout(kill)
  }
}

async function untilListening(url: URL, signal: AbortSignal): Promise<void> {
  while (!(await accepts(url))) {
    if (signal.aborted) throw new Error('the function ended before it listened')
    await sleep(LOOK_EVERY)
  }
}

function accepts({ hostname, port }: URL): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: hostname, port: Number(port || 80) })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
