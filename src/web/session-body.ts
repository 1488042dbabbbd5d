// Bodies that fetch takes, as a session sends them: bytes where they are known, else a stream, and what that says of itself.

import type { SendableBody } from '../http3/fetch.ts'

/** What `fetch` takes as a body: of WHATWG, and whatever can be iterated over, such as a Readable of node. */
export type FetchBody = NonNullable<RequestInit['body']> | SendableBody | AsyncIterable<Uint8Array | string>

interface SessionBody {
  readonly body: SendableBody
  /** `content-type`, unless the caller says another. */
  readonly type?: string | undefined
  /** Bytes of a stream, where they are known. */
  readonly length?: number
}

/** Throws a TypeError for what cannot be a body. */
export function sessionBody(body: FetchBody | null | undefined): SessionBody {
  if (body === undefined || body === null || body instanceof Uint8Array || body instanceof ReadableStream) {
    return { body: body as SendableBody }
  }
  if (typeof body === 'string') return { body, type: 'text/plain;charset=UTF-8' }
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body) }
  if (ArrayBuffer.isView(body)) return { body: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) }
  if (body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams) return formBody(body)
  if (typeof body === 'object' && Symbol.asyncIterator in body)
    return { body: streamOf(body as AsyncIterable<unknown>) }
  throw new TypeError('a body is a string, bytes, a Blob, a FormData, URLSearchParams, or a stream')
}

/** What WHATWG makes of it: a multipart with a boundary, a blob with its type. */
function formBody(form: Blob | FormData | URLSearchParams): SessionBody {
  const { body, headers } = new Response(form as never)
  const type = headers.get('content-type') ?? undefined
  return { body: body as SendableBody, type, ...(form instanceof Blob && { length: form.size }) }
}

function streamOf(source: AsyncIterable<unknown>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array))
      },
      cancel: async reason => void (await iterator.return?.(reason)),
    },
    { highWaterMark: 0 },
  )
}
