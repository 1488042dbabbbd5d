// A process for each request: its stdin is the request, its stdout the answer (modes `streaming` and `serializing`).

import type { ChildProcess } from 'node:child_process'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { bytesOf, READ_TOO_LONG } from '../../http/call.ts'
import { type FunctionHandler, type FunctionRequest, type FunctionResponse, plain } from '../../http/handler.ts'
import { isTimeout, within } from '../../http/within.ts'
import { Deadline } from '../deadline.ts'
import type { WatchdogSettings } from '../settings.ts'
import { requestEnvironment } from './cgi.ts'
import { ended, start } from './child.ts'

type ForkSettings = Pick<WatchdogSettings, 'command' | 'contentType' | 'execTimeout' | 'log' | 'readTimeout' | 'uid'>

/** The answer begins at once and is 200 whatever becomes of the process; cut off, visibly, when time is up. */
export function streamingMode(settings: ForkSettings, environment: NodeJS.ProcessEnv): FunctionHandler {
  return async request => {
    const deadline = new Deadline(request, settings.execTimeout)
    const child = await startFor(request, settings, environment)
    const stdout = child.stdout as Readable
    killAt(child, deadline, () => stdout.destroy(new Error('the function took too long')))
    feed(child, request, settings.readTimeout).catch(error => {
      // Others are of a function that did not read what it was sent.
      if (!isTimeout(error)) return
      stdout.destroy(error)
      child.kill('SIGKILL')
    })
    return answer(settings, Readable.toWeb(stdout) as ReadableStream<Uint8Array>)
  }
}

/** Request and answer are whole: a process that fails is an answer of 500. */
export function serializingMode(settings: ForkSettings, environment: NodeJS.ProcessEnv): FunctionHandler {
  return async request => {
    const deadline = new Deadline(request, settings.execTimeout)
    const body = await bytesOf(request, settings.readTimeout)
    const child = await startFor(request, settings, environment)
    killAt(child, deadline, ignore)
    child.stdin?.on('error', ignore).end(body)
    const end = ended(child)
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout as Readable) chunks.push(chunk as Buffer)
    const code = await end
    if (deadline.isOver) return plain(504, 'the function took too long\n')
    if (code !== 0) return plain(500, `the function ended with ${code}\n`)
    return answer(settings, Buffer.concat(chunks))
  }
}

function startFor(request: FunctionRequest, settings: ForkSettings, base: NodeJS.ProcessEnv): Promise<ChildProcess> {
  return start({ ...settings, environment: requestEnvironment(request, base), isFilter: true })
}

/** A function need not read what it is sent. */
async function feed(child: ChildProcess, request: Request, readTimeout: number): Promise<void> {
  const stdin = child.stdin as NonNullable<ChildProcess['stdin']>
  if (request.body === null) stdin.on('error', ignore).end()
  else await pipeline(Readable.fromWeb(within(request.body, readTimeout, READ_TOO_LONG) as NodeReadableStream), stdin)
}

function killAt(child: ChildProcess, { signal }: Deadline, also: () => void): void {
  const kill = (): void => {
    also()
    child.kill('SIGKILL')
  }
  if (signal.aborted) return kill()
  signal.addEventListener('abort', kill, { once: true })
  child.once('close', () => signal.removeEventListener('abort', kill))
}

function answer(settings: ForkSettings, body: NonNullable<FunctionResponse['body']>): FunctionResponse {
  return { status: 200, headers: [['content-type', settings.contentType]], body }
}

function ignore(): void {}
