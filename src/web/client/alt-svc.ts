// Alternative services (RFC 7838): where a server says that HTTP/3 can be had, and for how long that is so.

/** Where an origin can be reached by HTTP/3. */
export interface Alternative {
  readonly host: string
  readonly port: number
}

export const MAX_ORIGINS = 1000

interface Remembered extends Alternative {
  /** Unix ms. */
  readonly until: number
}

/** What servers said, as long as it holds. Of `MAX_ORIGINS` origins at most, the oldest go. */
export class AlternativeServices {
  readonly #known = new Map<string, Remembered>()

  /** `value` is that of an `alt-svc` field of `origin`, at `now` (Unix ms). What cannot be read says nothing. */
  learn(origin: URL, value: string, now: number): void {
    if (value.trim() === 'clear') {
      this.#known.delete(origin.origin)
      return
    }
    for (const text of value.split(',')) {
      const found = alternativeOf(text, origin, now)
      if (found === undefined) continue
      this.#known.delete(origin.origin)
      this.#known.set(origin.origin, found)
      if (this.#known.size > MAX_ORIGINS) this.#known.delete(this.#known.keys().next().value as string)
      return
    }
  }

  of(origin: string, now: number): Alternative | undefined {
    const known = this.#known.get(origin)
    if (known === undefined || known.until > now) return known
    this.#known.delete(origin)
    return undefined
  }
}

/** RFC 7838 §3: `h3="host:port"; ma=seconds`. Only `h3` is of use here. */
function alternativeOf(text: string, origin: URL, now: number): Remembered | undefined {
  const [service = '', ...parameters] = text.split(';').map(part => part.trim())
  const match = /^h3="([^":]*):([0-9]{1,5})"$/.exec(service)
  if (match === null) return undefined
  const port = Number(match[2])
  if (port === 0 || port > 65_535) return undefined
  const age = parameters.find(parameter => parameter.startsWith('ma='))
  const seconds = age === undefined ? DEFAULT_MAX_AGE : Number(age.slice(3).replaceAll('"', ''))
  if (!(seconds > 0)) return undefined
  return { host: match[1] || hostOf(origin), port, until: now + seconds * 1000 }
}

function hostOf(origin: URL): string {
  return origin.hostname.replace(/^\[|\]$/g, '')
}

/** Seconds: RFC 7838 §3.1. */
const DEFAULT_MAX_AGE = 86_400
