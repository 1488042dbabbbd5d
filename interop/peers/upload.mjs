// Request bodies, which the program `zerotrip` has no command for: `serve` answers with the length and SHA-256 of what
// was sent, `post` sends a file and saves the answer.

import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { connect, serve } from '../../dist/http3/index.js'

const [command, ...args] = process.argv.slice(2)

if (command === 'serve') {
  const [cert, key, qlog] = args
  const server = serve({ host: '127.0.0.1', cert: read(cert), key: read(key), qlog, fetch: receipt })
  const { port } = await server.ready
  process.stdout.write(`serving receipts on https://127.0.0.1:${port}/\n`)
  process.once('SIGTERM', () => server.close())
} else {
  const [url, file, output, ca, qlog] = args
  const session = connect(url, { ca: read(ca), qlog })
  const response = await session.fetch(url, { method: 'POST', body: Readable.toWeb(createReadStream(file)) })
  writeFileSync(output, await response.text())
  await session.close()
}

async function receipt(request) {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of request.body ?? []) {
    hash.update(chunk)
    length += chunk.length
  }
  return new Response(`${length} ${hash.digest('hex')}\n`)
}

function read(file) {
  return readFileSync(file, 'utf8')
}
