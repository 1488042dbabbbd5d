#!/usr/bin/env node
// The program `zerotrip`.

import { ExitCode } from './errors.ts'
import { run } from './run.ts'

const interruption = new AbortController()

function onSignal(): void {
  if (interruption.signal.aborted) process.exit(ExitCode.Interrupted)
  interruption.abort()
}

process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
// A reader that went away (`zerotrip get ... | head`) is met where something is written.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

const { stdout, stderr } = process
process.exitCode = await run(process.argv.slice(2), { stdout, stderr, signal: interruption.signal })
// What is left is to flush; a signal may cut that short.
process.off('SIGINT', onSignal)
process.off('SIGTERM', onSignal)
