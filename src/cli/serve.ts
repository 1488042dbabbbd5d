// `zerotrip serve`: the files of a directory over HTTP/3 and HTTP/0.9.

import { readFile } from 'node:fs/promises'
import { serverSettings } from '../http3/index.ts'
import { type Address, type ApplicationFactory, type ListenOptions, listen, retryAlways, selfSigned } from '../index.ts'
import { gateFrom, SingleUse } from '../zero-rtt/index.ts'
import type { Alpn, ServeArguments } from './args.ts'
import { ExitCode, fileError, messageOf, portError, setupError } from './errors.ts'
import { FileTree, fileHandler } from './files.ts'
import type { Io } from './io.ts'
import { HqService, Http3Service, type Service } from './services.ts'

/** Serves until `io.signal`, then finishes what was begun. */
export async function serve(args: ServeArguments, io: Io): Promise<number> {
  const tree = await FileTree.open(args.root)
  const credentials = args.certificate ? await readCredentials(args.certificate) : ownCredentials(args.host)
  const services: Record<Alpn, Service> = {
    h3: new Http3Service(fileHandler(tree), {
      date: () => new Date().toUTCString(),
      onError: (error, request) => io.stderr.write(`zerotrip: ${request?.url ?? 'a request'}: ${messageOf(error)}\n`),
    }),
    'hq-interop': new HqService(tree),
  }
  const endpoint = start(args, credentials, services)
  const address = await endpoint.ready.catch(error => {
    throw portError(args.port, args.host, error)
  })
  io.stdout.write(`${credentials.notice}serving ${args.root} on ${urlOf(address)} (${args.alpn.join(', ')})\n`)
  await aborted(io.signal)
  await endpoint.close({ deadline: GRACE, errorCode: H3_NO_ERROR })
  return ExitCode.Ok
}

interface Credentials {
  readonly cert: string
  readonly key: string
  /** Where they come from, for messages. */
  readonly source: string
  /** What clients should know of them: a line, or nothing. */
  readonly notice: string
}

type Listening = ReturnType<typeof listen>

function start(args: ServeArguments, credentials: Credentials, services: Record<Alpn, Service>): Listening {
  const alpn: Record<string, ApplicationFactory> = {}
  for (const name of args.alpn) alpn[name] = session => services[name].seat(session)
  const options: ListenOptions = {
    cert: credentials.cert,
    key: credentials.key,
    alpn,
    appState: serverSettings(),
    ...(args.retry && { admit: retryAlways }),
    ...(args.early && { earlyData: gateFrom(new SingleUse()) }),
    ...(args.qlog !== undefined && { qlog: args.qlog }),
    ...(args.cipherSuites && { cipherSuites: args.cipherSuites }),
  }
  try {
    return listen({ ...options, port: args.port, ...(args.host !== undefined && { host: args.host }) }, () => {})
  } catch (error) {
    throw setupError(credentials.source, args.qlog, error)
  }
}

async function readCredentials(files: { readonly cert: string; readonly key: string }): Promise<Credentials> {
  const read = (flag: string, file: string): Promise<string> =>
    readFile(file, 'utf8').catch(error => {
      throw fileError(`read ${flag} ${file}`, error)
    })
  const [cert, key] = await Promise.all([read('--cert', files.cert), read('--key', files.key)])
  return { cert, key, source: `--cert ${files.cert} --key ${files.key}`, notice: '' }
}

/** A key that lives as long as the process, and the pin clients may know it by. */
function ownCredentials(host: string | undefined): Credentials {
  const named = host === undefined || host === '::' || host === '0.0.0.0' ? [] : [host]
  const hosts = [...new Set(['localhost', '127.0.0.1', '::1', ...named])]
  const { cert, key, pin } = selfSigned({ hosts })
  const notice = `self-signed for ${hosts.join(', ')}; clients: --pin ${Buffer.from(pin).toString('hex')}
`
  return { cert, key, source: '--self-signed', notice }
}

function urlOf({ host, port }: Address): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}/`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** ms for answers that were begun when the end was asked for. */
const GRACE = 10_000
/** RFC 9114 §8.1. */
const H3_NO_ERROR = 0x100
