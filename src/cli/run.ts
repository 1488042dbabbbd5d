// From a command line to an exit code.

import { readFileSync } from 'node:fs'
import { getArguments, serveArguments } from './args.ts'
import { commands, getCommand, helpOf, overview, serveCommand } from './commands.ts'
import { CliError, ExitCode, messageOf, usageError } from './errors.ts'
import { get } from './get.ts'
import type { Io } from './io.ts'
import { serve } from './serve.ts'

/** Carries out one command line, without the program's own name; never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(argv, io)
  } catch (error) {
    io.stderr.write(`zerotrip: ${messageOf(error)}\n`)
    return error instanceof CliError ? error.exitCode : ExitCode.RequestFailed
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  switch (name) {
    case 'serve': {
      const args = serveArguments(rest)
      return args === undefined ? print(io, helpOf(serveCommand)) : serve(args, io)
    }
    case 'get': {
      const args = getArguments(rest)
      return args === undefined ? print(io, helpOf(getCommand)) : get(args, io)
    }
    case 'help':
    case '--help':
    case '-h':
      return print(io, helpFor(rest[0]))
    case '--version':
    case '-v':
      return print(io, `${version()}\n`)
    case undefined:
      throw usageError('what to do? serve or get')
    default:
      throw usageError(`unknown command '${name}': serve and get are known`)
  }
}

function helpFor(name: string | undefined): string {
  if (name === undefined) return overview()
  const command = commands.find(each => each.name === name)
  if (command === undefined) throw usageError(`no help on '${name}': serve and get are known`)
  return helpOf(command)
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function print(io: Io, text: string): number {
  io.stdout.write(text)
  return ExitCode.Ok
}
