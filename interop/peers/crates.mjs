// The peers of crates.io are one cargo workspace, in this directory.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from './environment.mjs'

const workspace = dirname(fileURLToPath(import.meta.url))

/**
 * A peer that is the program `NAME-peer` on the crate NAME. `client`, `server`: the test cases it supports;
 * `migrates`: as a client it can move.
 */
export function cratePeer({ name, alpn, client, server, migrates = true }) {
  let program
  const command = context => ({ file: program, args: [], env: environment(context) })
  return {
    name,
    alpn: { client: alpn, server: alpn },

    /** Minutes the first time; cargo knows when nothing has changed. */
    install(cache) {
      const target = join(cache, 'cargo')
      const args = ['build', '--release', '--locked', '--quiet', '--jobs', '2', '--package', `${name}-peer`]
      const env = { ...process.env, CARGO_TARGET_DIR: target }
      execFileSync('cargo', args, { cwd: workspace, env, stdio: ['ignore', 'pipe', 'pipe'] })
      program = join(target, 'release', `${name}-peer`)
      const lock = readFileSync(join(workspace, 'Cargo.lock'), 'utf8')
      return new RegExp(`name = "${name}"\nversion = "(.+)"`).exec(lock)[1]
    },

    client(testcase, context) {
      const isSupported = client.includes(testcase) && (migrates || context.test !== 'connectionmigration')
      return isSupported ? command(context) : undefined
    },

    server: (testcase, context) => (server.includes(testcase) ? command(context) : undefined),
  }
}
