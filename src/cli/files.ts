// Files of a directory as answers: found without leaving it, read at the pace of who takes them.

import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { extname, join, posix, sep } from 'node:path'
import type { Http3Handler } from '../http3/index.ts'
import { CliError, ExitCode, fileError } from './errors.ts'

export interface FoundFile {
  readonly path: string
  readonly size: number
  readonly modified: Date
  readonly contentType: string
}

export class FileTree {
  readonly #root: string

  /** `root` without symbolic links. */
  private constructor(root: string) {
    this.#root = root
  }

  /** Throws a CliError when `root` is no directory. */
  static async open(root: string): Promise<FileTree> {
    try {
      const real = await realpath(root)
      if ((await stat(real)).isDirectory()) return new FileTree(real)
    } catch (error) {
      throw fileError(`serve --root ${root}`, error)
    }
    throw new CliError(ExitCode.LocalFailed, `cannot serve --root ${root}: not a directory`)
  }

  /**
   * What a request path, percent-encoded, leads to. `directory`: one with an index, asked for without the slash at the
   * end. Undefined: nothing that may be shown.
   */
  async find(requestPath: string): Promise<FoundFile | 'directory' | undefined> {
    const relative = relativePath(requestPath)
    if (relative === undefined) return undefined
    const found = await this.#look(relative)
    if (found !== 'directory') return found
    const index = await this.#look(posix.join(relative, 'index.html'))
    if (index === undefined || index === 'directory') return undefined
    return relative.endsWith('/') ? index : 'directory'
  }

  async #look(relative: string): Promise<FoundFile | 'directory' | undefined> {
    try {
      // Symbolic links count as what they lead to, which has to be inside, too.
      const path = await realpath(join(this.#root, relative))
      if (path !== this.#root && !path.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) {
        return undefined
      }
      const facts = await stat(path)
      if (facts.isDirectory()) return 'directory'
      // `file/` is not `file`, and to open a pipe would be to wait for its other end.
      if (!facts.isFile() || relative.endsWith('/')) return undefined
      return { path, size: facts.size, modified: facts.mtime, contentType: contentTypeOf(path) }
    } catch {
      return undefined
    }
  }
}

/** The content: bytes if there are few, a stream otherwise. Rejects when the file cannot be opened. */
export async function contentOf({ path, size }: FoundFile): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  // The path has no symbolic link in it; if its end became one since, it leads somewhere unknown.
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  if (size > CHUNK) return streamOf(file, size)
  try {
    return await readExactly(file, size)
  } finally {
    await file.close()
  }
}

/** Serves the tree over HTTP. */
export function fileHandler(tree: FileTree): Http3Handler {
  return async ({ method, url }) => {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: [['allow', 'GET, HEAD']] }
    const { pathname } = new URL(url)
    const found = await tree.find(pathname)
    if (found === undefined) return notFound(method)
    if (found === 'directory') return { status: 301, headers: [['location', `${posix.normalize(pathname)}/`]] }
    const headers: [string, string][] = [
      ['content-type', found.contentType],
      ['content-length', String(found.size)],
      ['last-modified', found.modified.toUTCString()],
      ['x-content-type-options', 'nosniff'],
    ]
    return { status: 200, headers, body: method === 'HEAD' ? null : await contentOf(found) }
  }
}

/** Decoded and free of `..`; undefined for what cannot be a path here. */
function relativePath(requestPath: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(requestPath)
  } catch {
    return undefined
  }
  if (decoded.includes('\0') || (sep === '\\' && /[\\:]/.test(decoded))) return undefined
  return posix.normalize(`/${decoded}`)
}

function streamOf(file: FileHandle, size: number): ReadableStream<Uint8Array> {
  let left = size
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await readExactly(file, Math.min(left, CHUNK))
          left -= chunk.length
          controller.enqueue(chunk)
          if (left > 0) return
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        await file.close()
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  )
}

/** Throws for a file that became shorter: its length was announced already. */
async function readExactly(file: FileHandle, length: number): Promise<Uint8Array> {
  // Not from a pool: the transport keeps it until it is acknowledged.
  const chunk = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(chunk, at, length - at)
    if (bytesRead === 0) throw new Error('the file became shorter while it was sent')
    at += bytesRead
  }
  return chunk
}

function notFound(method: string): Awaited<ReturnType<Http3Handler>> {
  return {
    status: 404,
    headers: [['content-type', 'text/plain; charset=utf-8']],
    body: method === 'HEAD' ? null : 'not found\n',
  }
}

function contentTypeOf(path: string): string {
  return contentTypes.get(extname(path).toLowerCase()) ?? 'application/octet-stream'
}

/** Bytes read at a time. */
const CHUNK = 65_536

const contentTypes: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.htm', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.wasm', 'application/wasm'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.md', 'text/markdown; charset=utf-8'],
  ['.csv', 'text/csv; charset=utf-8'],
  ['.xml', 'application/xml'],
  ['.pdf', 'application/pdf'],
  ['.zip', 'application/zip'],
  ['.gz', 'application/gzip'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.webp', 'image/webp'],
  ['.avif', 'image/avif'],
  ['.ico', 'image/x-icon'],
  ['.woff', 'font/woff'],
  ['.woff2', 'font/woff2'],
  ['.mp3', 'audio/mpeg'],
  ['.mp4', 'video/mp4'],
  ['.webm', 'video/webm'],
])
