// HTTP/3 by several processes at one address: every connection stays with the process that took it, also when its client
// goes on from another address.
//
//     node examples/cluster/main.mjs --port 4433 --workers 4
//
// The system gives a datagram to any of them (a shared socket, before Node 23.1) or by the client's address (SO_REUSEPORT,
// since). Our connection ids say whose it is: who gets one of another's hands it on over a socket between the two.

import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { selfSigned } from 'zerotrip'
import { work } from './worker.mjs'

if (cluster.isPrimary) await lead()
else await work()

async function lead() {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '4433' },
      workers: { type: 'string', default: String(availableParallelism()) },
    },
  })
  const { cert, key, pin } = selfSigned({ hosts: ['localhost', '127.0.0.1', '::1'] })
  // Secrets go by the channel between the processes: arguments and environments can be read by others.
  const keys = {
    connectionIds: randomBytes(16),
    addressTokens: randomBytes(32),
    tickets: randomBytes(32),
    statelessReset: randomBytes(32),
  }
  cluster.setupPrimary({ serialization: 'advanced' })
  const all = Array.from({ length: Number(values.workers) }, () => cluster.fork())
  const links = (await Promise.all(all.map(worker => next(worker, 'link')))).map(link => link.port)
  const ready = all.map(worker => next(worker, 'ready'))
  const { host } = values
  const port = Number(values.port)
  const setup = { type: 'setup', links, host, port, identity: { cert, key }, keys }
  for (const [number, worker] of all.entries()) worker.send({ ...setup, worker: number })
  await Promise.all(ready)
  console.log(
    `${links.length} processes at https://${host}:${port}/bytes/1000, pin ${Buffer.from(pin).toString('hex')}`,
  )
  process.send?.({ type: 'ready', cert })
  const stop = () => {
    for (const worker of all) if (worker.isConnected()) worker.send({ type: 'stop' })
    if (process.connected) process.disconnect()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  process.once('message', stop)
}

function next(worker, type) {
  return new Promise((resolve, reject) => {
    worker.on('message', message => message.type === type && resolve(message))
    worker.once('exit', code => reject(new Error(`a worker ended with ${code}`)))
  })
}
