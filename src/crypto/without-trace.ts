// Failures that are nothing special, such as a tag that is wrong.

/** What `act` returns, or undefined if it throws; without a trace, so that failing takes hardly longer than succeeding. */
export function withoutTrace<T>(act: () => T): T | undefined {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return act()
  } catch {
    return undefined
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
