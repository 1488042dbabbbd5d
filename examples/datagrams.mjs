// Unreliable datagrams beside reliable streams (RFC 9221). Run: node examples/datagrams.mjs
import { connect, listen, selfSigned } from 'zerotrip'

const { cert, key } = selfSigned({ hosts: ['localhost'] })
const options = { alpn: ['ticks'], transport: { maxDatagramFrameSize: 1200 } }
const server = listen({ ...options, cert, key }, async session => {
  for await (const datagram of session.datagrams) session.sendDatagram(datagram)
})
const { port } = await server.ready

const session = connect({ host: 'localhost', port }, { ...options, ca: cert })
await session.opened
for (const word of ['one', 'two', 'three']) session.sendDatagram(new TextEncoder().encode(word))
let count = 0
for await (const datagram of session.datagrams) {
  console.log('back:', new TextDecoder().decode(datagram))
  if (++count === 3) break
}
await session.close()
await server.close()
