// Durations as OpenFaaS writes them: whole seconds, or Go's own form, such as `500ms` or `1m30s`.

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y

/** In ms; undefined for what is no duration. */
export function readDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^\d+$/.test(trimmed)) return Number(trimmed) * 1000
  PART.lastIndex = 0
  let sum = 0
  let end = 0
  for (let part = PART.exec(trimmed); part !== null; part = PART.exec(trimmed)) {
    sum += Number(part[1]) * (UNITS[part[2] as string] as number)
    end = PART.lastIndex
  }
  return end > 0 && end === trimmed.length ? sum : undefined
}
