// `zerotrip get`: URLs in, files or standard output out.

import { mkdir } from 'node:fs/promises'
import type { GetArguments } from './args.ts'
import { type Client, type ClientOptions, clientOptions, openClient } from './client.ts'
import { CliError, connectionError, ExitCode, fileError, messageOf } from './errors.ts'
import type { Io } from './io.ts'
import { Progress } from './progress.ts'
import { type ConnectionReport, errorsOf, exitCodeOf, jsonReport, type RequestReport, textReport } from './report.ts'
import { SessionFile } from './session-file.ts'
import { fileNames, fileSink, outputSink, type Sink } from './sink.ts'

/** Fetches everything and says how it went; rejects with a CliError when nothing can be begun. */
export async function get(args: GetArguments, io: Io): Promise<number> {
  const startTime = performance.now()
  const session = args.session === undefined ? undefined : new SessionFile(args.session, args.alpn)
  const options = await clientOptions(args, session)
  const sinkOf = await sinksFor(args, io)
  // A bar in the midst of content on the same terminal would help nobody.
  const hasBar = io.stderr.isTTY && !args.json && (args.output !== undefined || !io.stdout.isTTY)
  const progress = new Progress(hasBar ? io.stderr : undefined)
  const stop = stopSignal(args.timeout, io.signal)
  const visit = { args, session, options: { ...options, signal: stop.signal }, sinkOf, progress, signal: stop.signal }
  try {
    const connections = await atOnce(byOrigin(args.urls), limitOf(args), urls => visitOrigin(urls, visit))
    session?.save()
    progress.clear()
    if (io.signal.aborted) throw stop.signal.reason
    return say(connections, args, io, performance.now() - startTime)
  } finally {
    progress.clear()
    stop.cancel()
  }
}

/** What all downloads have in common. */
interface Visit {
  readonly args: GetArguments
  readonly session: SessionFile | undefined
  readonly options: ClientOptions
  readonly sinkOf: (url: URL) => Sink
  readonly progress: Progress
  /** Aborted with the CliError that says why. */
  readonly signal: AbortSignal
}

async function visitOrigin(urls: readonly URL[], visit: Visit): Promise<ConnectionReport> {
  const startTime = performance.now()
  const { origin } = urls[0] as URL
  const client = openClient(new URL(origin), visit.args, visit.options)
  const handshake = client.session.opened.then(
    peer => ({ peer, error: undefined, ms: performance.now() - startTime }),
    error => ({ peer: undefined, error: failureOf(origin, error, visit).message, ms: performance.now() - startTime }),
  )
  // In this tick, while it still is the first flight.
  const downloads = atOnce(urls, limitOf(visit.args), url => download(client, url, visit))
  try {
    // The ticket that was taken is not to be used again, even if this process does not live to say so.
    visit.session?.save()
    const requests = await downloads
    const { peer, error, ms } = await handshake
    if (peer && visit.session && !visit.signal.aborted) await ticketsOf(client, visit.session)
    return { origin, peer, error, ms, requests, stats: client.session.statistics() }
  } finally {
    await client.close()
  }
}

/** They come with the end of the handshake, which may be after the answer. */
async function ticketsOf(client: Client, session: SessionFile): Promise<void> {
  if (session.addedCount > 0) return
  const { smoothed: smoothedRtt } = client.session.statistics().rtt
  await session.nextTicket(Math.min(MAX_TICKET_WAIT, Math.max(MIN_TICKET_WAIT, 2 * smoothedRtt)))
}

async function download(client: Client, url: URL, visit: Visit): Promise<RequestReport> {
  const startTime = performance.now()
  const { args, progress } = visit
  let sink: Sink | undefined
  let status: number | undefined
  let bytes = 0
  try {
    const answer = await client.request(url)
    status = answer.status
    const isRefused = status !== undefined && status >= 400
    // What a server says about an error is for eyes, not for files.
    if (isRefused && args.output !== undefined) await answer.body?.cancel()
    else {
      progress.expect(answer.length)
      for await (const chunk of answer.body ?? []) {
        // Not before there is something: HTTP/0.9 answers begin before they are known to be any.
        sink ??= visit.sinkOf(url)
        bytes += chunk.length
        progress.advance(chunk.length)
        await sink.write(chunk)
      }
      sink ??= visit.sinkOf(url)
      await sink.finish()
    }
    const error = isRefused ? new CliError(ExitCode.RequestFailed, `${url.href}: status ${status}`) : undefined
    return report(error, sink?.file)
  } catch (error) {
    await sink?.discard()
    return report(error instanceof CliError ? error : requestError(url, error, visit), undefined)
  }

  function report(error: CliError | undefined, file: string | undefined): RequestReport {
    const ms = performance.now() - startTime
    return { url: url.href, status, bytes, ms, file, error: error?.message, exitCode: error?.exitCode ?? ExitCode.Ok }
  }
}

function requestError(url: URL, error: unknown, { args, signal }: Visit): CliError {
  const why = messageOf(signal.aborted ? signal.reason : error)
  // HTTP/0.9 has no other way to say 404.
  const isReset = args.alpn === 'hq-interop' && why.startsWith('stream reset')
  const text = isReset ? `no such file, or not whole (${why})` : `incomplete: ${why}`
  return new CliError(ExitCode.RequestFailed, `${url.href}: ${text}`, error)
}

function failureOf(origin: string, error: unknown, { signal }: Visit): CliError {
  return connectionError(origin, signal.aborted ? signal.reason : error)
}

function say(connections: readonly ConnectionReport[], args: GetArguments, io: Io, ms: number): ExitCode {
  const out = args.output === undefined ? io.stderr : io.stdout
  if (args.json) out.write(jsonReport(connections, ms))
  else {
    out.write(textReport(connections))
    for (const error of errorsOf(connections)) io.stderr.write(`zerotrip: ${error}\n`)
  }
  return exitCodeOf(connections)
}

async function sinksFor({ urls, output }: GetArguments, io: Io): Promise<(url: URL) => Sink> {
  if (output === undefined) {
    const sink = outputSink(io.stdout)
    return () => sink
  }
  const names = fileNames(urls, output)
  await mkdir(output, { recursive: true }).catch(error => {
    throw fileError(`make --output ${output}`, error)
  })
  return url => fileSink(names.get(url) as string)
}

function byOrigin(urls: readonly URL[]): URL[][] {
  const origins = new Map<string, URL[]>()
  for (const url of urls) {
    const others = origins.get(url.origin)
    if (others === undefined) origins.set(url.origin, [url])
    else others.push(url)
  }
  return [...origins.values()]
}

/** Side by side into files; into one stream one after another. */
function limitOf({ output }: GetArguments): number {
  return output === undefined ? 1 : MAX_AT_ONCE
}

/** Results in the order of `items`. The first ones begin before this returns. */
async function atOnce<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

function stopSignal(timeout: number | undefined, interrupted: AbortSignal): { signal: AbortSignal; cancel(): void } {
  const controller = new AbortController()
  const interrupt = (): void => controller.abort(new CliError(ExitCode.Interrupted, 'interrupted'))
  if (interrupted.aborted) interrupt()
  else interrupted.addEventListener('abort', interrupt, { once: true })
  const late = (): void => {
    controller.abort(
      new CliError(ExitCode.RequestFailed, `not done within the ${(timeout ?? 0) / 1000} s of --timeout`),
    )
  }
  const timer = timeout === undefined ? undefined : setTimeout(late, timeout)
  return {
    signal: controller.signal,
    cancel() {
      clearTimeout(timer)
      interrupted.removeEventListener('abort', interrupt)
    },
  }
}

/** Requests under way in one connection; each has a file open. */
const MAX_AT_ONCE = 256
/** ms */
const MIN_TICKET_WAIT = 50
const MAX_TICKET_WAIT = 300
