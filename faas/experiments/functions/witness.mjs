// Writes down each execution before it is done: what was killed meanwhile has still been executed, and seen.

import { openSync, writeSync } from 'node:fs'

const log = openSync(process.env['WITNESS_LOG'], 'a')

export async function fetch(request) {
  const call = new URL(request.url).pathname.slice(1)
  // Less than a pipe's atomic write, at the end of a file that all instances share.
  writeSync(log, `${call} ${process.pid} ${request.early}\n`)
  // Whoever is killed at random shall be killed while there is something to do.
  await new Promise(resolve => setTimeout(resolve, 2))
  return { headers: [['content-type', 'text/plain']], body: `${call} ${process.pid}` }
}
