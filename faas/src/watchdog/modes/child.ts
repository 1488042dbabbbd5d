// The process of a function: started with the watchdog's environment less what is secret, its output passed on.

import { type ChildProcess, spawn } from 'node:child_process'
import type { LogSettings } from '../settings.ts'
import { passLines } from './log-lines.ts'

export interface StartOptions {
  readonly command: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  readonly log: LogSettings
  /** Whom it runs as; undefined: as the watchdog. */
  readonly uid: number | undefined
  /** Is stdout the answer of the function, and stdin the request, rather than a log. */
  readonly isFilter: boolean
}

/** Resolves when the process runs; rejects when there is no such program. */
export function start({ command, environment, log, uid, isFilter }: StartOptions): Promise<ChildProcess> {
  const [program, ...parameters] = command as [string, ...string[]]
  const child = spawn(program, parameters, {
    env: environment,
    stdio: [isFilter ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  })
  if (child.stderr) passLines(child.stderr, 'stderr', process.stderr, log)
  if (child.stdout && !isFilter) passLines(child.stdout, 'stdout', process.stdout, log)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('spawn', () => {
      child.off('error', reject)
      // A signal that comes too late is nobody's error.
      child.on('error', () => {})
      resolve(child)
    })
  })
}

/** Resolves with the exit code, or the name of the signal, when the process is gone and its output has been read. */
export function ended(child: ChildProcess): Promise<number | string> {
  return new Promise(resolve => child.once('close', (code, signal) => resolve(code ?? signal ?? 1)))
}
