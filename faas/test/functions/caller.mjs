// A function that is a server of its own and calls another as it would anywhere: `fetch`, and an address from the environment.

import { createServer, get } from 'node:http'

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, 'http://localhost')
  if (searchParams.has('where')) return response.end(process.env.gateway_url)
  // Nothing is kept, so that each call is a connection of its own.
  get(`${process.env.gateway_url}${searchParams.get('to')}`, {
    agent: false,
    headers: { 'x-call-id': request.headers['x-call-id'], connection: 'close, x-hop', 'x-hop': 'mine' },
  }).once('response', answer => {
    response.writeHead(answer.statusCode, { location: answer.headers.location ?? '' })
    answer.pipe(response)
  })
})

server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
