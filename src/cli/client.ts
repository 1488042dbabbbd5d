// One connection to an origin, whichever HTTP it speaks.

import { readFile } from 'node:fs/promises'
import { connect as connectHttp3, Hq09Client } from '../http3/index.ts'
import { type ConnectOptions, connect, type QuicSession } from '../index.ts'
import type { TicketStore } from '../zero-rtt/index.ts'
import type { GetArguments } from './args.ts'
import { CliError, ExitCode, fileError, setupError } from './errors.ts'

/** The beginning of an answer. HTTP/0.9 has no status and no length. */
export interface Answer {
  readonly status: number | undefined
  readonly length: number | undefined
  readonly body: ReadableStream<Uint8Array> | null
}

export interface Client {
  readonly session: QuicSession
  /** Sends a GET, in this tick if that is possible. */
  request(url: URL): Promise<Answer>
  close(): Promise<void>
}

export type ClientOptions = Omit<ConnectOptions, 'alpn' | 'application'>

/** What the flags of `get` mean for a connection. Reads the file of authorities. */
export async function clientOptions(args: GetArguments, tickets: TicketStore | undefined): Promise<ClientOptions> {
  return {
    ...(await trustOptions(args.trust)),
    ...(tickets && { tickets }),
    earlyData: args.early,
    ...(args.timeout !== undefined && { handshakeTimeout: args.timeout }),
    ...(args.qlog !== undefined && { qlog: args.qlog }),
    ...(args.cipherSuites && { cipherSuites: args.cipherSuites }),
  }
}

/** Begins a connection and returns at once. Throws a CliError when that cannot be. */
export function openClient(origin: URL, { alpn, trust, qlog }: GetArguments, options: ClientOptions): Client {
  try {
    return alpn === 'h3' ? openHttp3(origin, options) : openHq(origin, options)
  } catch (error) {
    throw setupError(trust.kind === 'ca' ? `--ca ${trust.file}` : origin.origin, qlog, error)
  }
}

function openHttp3(origin: URL, options: ClientOptions): Client {
  const http3 = connectHttp3(origin, options)
  return {
    session: http3.session,
    async request(url) {
      const response = await http3.fetch(url)
      const length = Number(response.headers.get('content-length') ?? Number.NaN)
      return {
        status: response.status,
        length: Number.isSafeInteger(length) ? length : undefined,
        body: response.body as ReadableStream<Uint8Array> | null,
      }
    },
    close: () => http3.close(),
  }
}

function openHq(origin: URL, options: ClientOptions): Client {
  const host = origin.hostname.replace(/^\[|\]$/g, '')
  let client: Hq09Client | undefined
  const session = connect(
    { host, port: Number(origin.port || 443) },
    {
      ...options,
      alpn: ['hq-interop'],
      application: session => {
        const hq = new Hq09Client(session.transport)
        client = hq
        return { onEvent: event => hq.onEvent(event), sessionState: new Uint8Array(0) }
      },
    },
  )
  return {
    session,
    async request(url) {
      const path = url.pathname + url.search
      const body = (client as Hq09Client).get(path, { early: options.earlyData ?? false })
      return { status: undefined, length: undefined, body }
    },
    close: () => session.close(),
  }
}

async function trustOptions(trust: GetArguments['trust']): Promise<ClientOptions> {
  switch (trust.kind) {
    case 'system':
      return {}
    case 'anybody':
      return { insecureNoCertificateCheck: true }
    case 'pin':
      return { pins: [trust.pin] }
    case 'ca':
      return { ca: await readAuthorities(trust.file) }
  }
}

async function readAuthorities(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(error => {
    throw fileError(`read --ca ${file}`, error)
  })
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new CliError(ExitCode.LocalFailed, `--ca ${file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)`)
}
