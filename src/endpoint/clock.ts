// Time, read in one room only: everything below is told.

/** Monotonic ms. */
export function now(): number {
  return performance.now()
}

/** What to add to `now()` for wall-clock ms since 1970. Read anew for each connection: clocks get corrected. */
export function timeOrigin(): number {
  return Date.now() - performance.now()
}

export function unixTime(): number {
  return Date.now()
}

/** setTimeout takes no more, ms. */
export const MAX_DELAY = 0x7fffffff
