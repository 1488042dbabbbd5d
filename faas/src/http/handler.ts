// What runs a request: one shape for every mode, over HTTP/3 and HTTP/1.1 alike.

export type Headers = readonly (readonly [string, string])[]

export interface FunctionRequest extends Request {
  /** It came as early data and may be a replay. */
  readonly early: boolean
  /** Resolves when it is known to be none. */
  readonly confirmed: Promise<void>
  /** The caller's address and port, where it is known. */
  readonly remote?: string | undefined
}

/** A `Response` is one. Bytes and strings are sent in one piece. */
export interface FunctionResponse {
  readonly status?: number
  readonly headers?: Iterable<readonly [string, string]> | undefined
  readonly body?: ReadableStream<Uint8Array> | Uint8Array | string | null | undefined
}

export type FunctionHandler = (request: FunctionRequest) => FunctionResponse | Promise<FunctionResponse>

/** A short answer of the watchdog itself. `origin`: who is meant to have said it. */
export function plain(status: number, body: string, origin: string = 'of-watchdog'): FunctionResponse {
  const headers: Headers = [
    ['content-type', 'text/plain; charset=utf-8'],
    ['x-openfaas-internal', origin],
  ]
  return { status, headers, body }
}

/** Path and query as they came. */
export function targetOf({ url }: { readonly url: string }): string {
  const at = url.indexOf('/', url.indexOf('://') + 3)
  return at < 0 ? '/' : url.slice(at)
}

/** Host and port as the caller named them. */
export function hostOf({ url }: { readonly url: string }): string {
  const from = url.indexOf('://') + 3
  const to = url.indexOf('/', from)
  return url.slice(from, to < 0 ? undefined : to)
}

/** Tells, once, when an answer has been taken or given up, with the bytes of it that were. */
export function whenTaken(response: FunctionResponse, done: (bytes: number) => void): FunctionResponse {
  const { status, headers, body } = response
  if (!(body instanceof ReadableStream)) {
    done(typeof body === 'string' ? Buffer.byteLength(body) : (body?.length ?? 0))
    return response
  }
  return { status: status ?? 200, headers, body: counted(body, done) }
}

function counted(body: ReadableStream<Uint8Array>, done: (bytes: number) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await reader.read()
          if (!next.done) {
            bytes += next.value.length
            return controller.enqueue(next.value)
          }
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        done(bytes)
      },
      cancel(reason) {
        done(bytes)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** What goes from hop to hop (RFC 9110 §7.6.1). */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** RFC 9110 §7.6.1: fields that a Connection field makes hop-by-hop, too. */
export function namedByConnection(connection: string | null | undefined): ReadonlySet<string> {
  if (!connection) return NONE
  return new Set(connection.split(',').map(name => name.trim().toLowerCase()))
}

const NONE: ReadonlySet<string> = new Set()
