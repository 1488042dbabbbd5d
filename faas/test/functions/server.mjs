// A function that is a server of its own, as templates for `http` mode are. PORT: where; LATE: ms before it listens.

import { createServer } from 'node:http'

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const { url, method, headers } = request
    if (url === '/redirect') return response.writeHead(302, { location: '/elsewhere' }).end()
    if (url === '/slow') return setTimeout(() => response.end('slow'), 60_000).unref()
    if (url === '/events') return events(url, response, 'text/event-stream', 'data: first\n\n')
    if (url === '/lines') return events(url, response, 'application/x-ndjson', '{"first":1}\n')
    if (url === '/pids') return response.end(JSON.stringify([process.pid, process.ppid]))
    const held = /^\/hold\?ms=(\d+)$/.exec(url)
    if (held) return setTimeout(() => response.end('held'), Number(held[1]))
    if (url === '/exit') return process.exit(3)
    response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'] })
    response.end(JSON.stringify({ url, method, headers, body: Buffer.concat(chunks).toString() }))
  })
})

/** The beginning of an answer that goes on. */
function events(url, response, type, first) {
  response.writeHead(200, { 'content-type': type })
  response.write(first)
  response.once('close', () => console.log(`the reader of ${url} has gone`))
}

server.on('upgrade', (request, socket) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: ${request.headers.upgrade}\r\nconnection: upgrade\r\n\r\n`)
  socket.pipe(socket)
})

console.log('a line of stdout')
console.error('a line of stderr')
setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1'), Number(process.env.LATE ?? 0))
process.on('SIGTERM', () => process.exit(0))
