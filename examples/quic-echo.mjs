// QUIC without HTTP: a server that sends back what comes, and a client. Run: node examples/quic-echo.mjs
import { connect, listen, selfSigned } from 'zerotrip'

const { cert, key } = selfSigned({ hosts: ['localhost'] })
const server = listen({ alpn: ['echo'], cert, key }, async session => {
  for await (const stream of session.streams) {
    for await (const bytes of stream) await stream.write(bytes)
    await stream.end()
  }
})
const { port } = await server.ready

const session = connect({ host: 'localhost', port }, { alpn: ['echo'], ca: cert })
const stream = await session.openStream()
await stream.end('hello over QUIC')
console.log(new TextDecoder().decode(await stream.bytes()))

await session.close()
await server.close()
