// Sends as many bytes as a stream asks for, in datagrams up to the size of its second argument.

import { listen } from 'zerotrip'

const [size, cert, key] = process.argv.slice(2)
const CHUNK = new Uint8Array(65_536)

const server = listen(
  { host: '127.0.0.1', port: 0, alpn: ['bytes'], cert, key, transport: { probeDatagramSize: Number(size) } },
  async session => {
    for await (const stream of session.streams) serve(stream).catch(() => {})
  },
)

async function serve(stream) {
  const { length, 0: first } = await stream.bytes()
  let left = length > 0 ? first * 2 ** 20 : 0
  for (; left > 0; left -= CHUNK.length) await stream.write(CHUNK)
  await stream.end()
}

process.send((await server.ready).port)
process.on('message', () => process.send(process.cpuUsage()))
process.on('disconnect', () => process.exit())
