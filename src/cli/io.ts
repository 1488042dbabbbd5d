// The process as commands see it; tests have others.

import type { Writable } from 'node:stream'

/** What a command may use of the process it runs in. */
export interface Io {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
}
