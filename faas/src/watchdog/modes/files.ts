// Mode `static`: the files of a directory, with conditions and ranges.

import { createReadStream, type Stats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { extname, join, posix, sep } from 'node:path'
import { Readable } from 'node:stream'
import fresh from 'fresh'
import { contentType } from 'mime-types'
import parseRange from 'range-parser'
import { type FunctionHandler, type FunctionResponse, type Headers, plain } from '../../http/handler.ts'

interface Found {
  readonly path: string
  readonly facts: Stats
}

/** Rejects when `root` is no directory. */
export async function staticMode(root: string): Promise<FunctionHandler> {
  const real = await realpath(root)
  if (!(await stat(real)).isDirectory()) throw new TypeError(`static_path must be a directory: ${root}`)
  return async request => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, headers: [['allow', 'GET, HEAD']] }
    }
    const { pathname } = new URL(request.url)
    const found = await find(real, pathname)
    if (found === undefined) return plain(404, '404 page not found\n')
    if (found === 'directory') return { status: 301, headers: [['location', `${posix.normalize(pathname)}/`]] }
    return answer(request, found)
  }
}

function answer(request: Request, { path, facts }: Found): FunctionResponse {
  const headers: Headers = [
    ['content-type', contentType(extname(path)) || 'application/octet-stream'],
    ['last-modified', facts.mtime.toUTCString()],
    ['etag', `W/"${facts.size.toString(16)}-${Math.trunc(facts.mtimeMs).toString(16)}"`],
    ['accept-ranges', 'bytes'],
  ]
  if (fresh(Object.fromEntries(request.headers), Object.fromEntries(headers))) return { status: 304, headers }
  const range = rangeOf(request, facts, headers)
  if (range === 'unsatisfiable') {
    return { status: 416, headers: [...headers, ['content-range', `bytes */${facts.size}`]] }
  }
  const { start, end } = range ?? { start: 0, end: facts.size - 1 }
  const length: Headers = [['content-length', String(end - start + 1)]]
  const part: Headers = range ? [['content-range', `bytes ${start}-${end}/${facts.size}`]] : []
  const body = request.method === 'HEAD' || end < start ? null : contentOf(path, start, end)
  return { status: range ? 206 : 200, headers: [...headers, ...length, ...part], body }
}

/** One range; several, or none that can be read, are the whole (RFC 9110 §14.2). */
function rangeOf(
  request: Request,
  facts: Stats,
  headers: Headers,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const asked = request.headers.get('range')
  if (asked === null || request.method !== 'GET') return undefined
  const condition = request.headers.get('if-range')
  if (condition !== null && !headers.some(([, value]) => value === condition)) return undefined
  const ranges = parseRange(facts.size, asked)
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined
  return ranges[0]
}

function contentOf(path: string, start: number, end: number): ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(path, { start, end })) as ReadableStream<Uint8Array>
}

/** Without leaving the root, symbolic links included. `directory`: one with an index, asked for without the slash. */
async function find(root: string, pathname: string): Promise<Found | 'directory' | undefined> {
  const relative = decoded(pathname)
  if (relative === undefined) return undefined
  const found = await look(root, relative)
  if (found === undefined || !found.facts.isDirectory()) {
    return relative.endsWith('/') || !found?.facts.isFile() ? undefined : found
  }
  const index = await look(root, posix.join(relative, 'index.html'))
  if (!index?.facts.isFile()) return undefined
  return relative.endsWith('/') ? index : 'directory'
}

async function look(root: string, relative: string): Promise<Found | undefined> {
  try {
    const path = await realpath(join(root, relative))
    if (path !== root && !path.startsWith(root + sep)) return undefined
    return { path, facts: await stat(path) }
  } catch {
    return undefined
  }
}

function decoded(pathname: string): string | undefined {
  try {
    const path = decodeURIComponent(pathname)
    return path.includes('\0') ? undefined : posix.normalize(path)
  } catch {
    return undefined
  }
}
