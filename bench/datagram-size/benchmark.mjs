// How much datagrams of which size carry between two processes over loopback: what `probeDatagramSize` gains.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { QuicEndpoint, selfSigned } from 'zerotrip'

const SIZES = [1200, 1452, 4000, 9000, 16_000, 32_000, 65_507]
const MEBIBYTES = 64

export async function run({ samples = 5 }) {
  const { cert, key } = selfSigned({ hosts: ['localhost'] })
  const servers = []
  for (const size of SIZES) servers.push(await start(size, cert, key))
  for (const server of servers) await transfer(server, cert, 8)
  // In turns: whatever else the machine does meets all of them.
  for (let i = 0; i < samples; i++)
    for (const server of servers) server.rows.push(await transfer(server, cert, MEBIBYTES))
  for (const { child } of servers) child.disconnect()
  const sizes = servers.map(({ size, rows }) => ({ size, ...median(rows) }))
  return { mebibytes: MEBIBYTES, samples, sizes, isReached: true }
}

async function start(size, cert, key) {
  const child = fork(new URL('server.mjs', import.meta.url), [String(size), cert, key])
  const [port] = await once(child, 'message')
  return { size, port, child, rows: [] }
}

async function transfer({ size, port, child }, ca, mebibytes) {
  const endpoint = new QuicEndpoint({ host: '127.0.0.1' })
  const before = [process.cpuUsage(), await usage(child)]
  const session = endpoint.connect(
    { host: '127.0.0.1', port },
    { alpn: ['bytes'], ca, serverName: 'localhost', transport: { probeDatagramSize: size } },
  )
  const stream = await session.openStream()
  const start = performance.now()
  await stream.end(Uint8Array.of(mebibytes))
  let received = 0
  for await (const chunk of stream) received += chunk.length
  const seconds = (performance.now() - start) / 1000
  if (received !== mebibytes * 2 ** 20) throw new Error(`${received} bytes came`)
  const after = [process.cpuUsage(), await usage(child)]
  await endpoint.close()
  const cpu = before.map(({ user, system }, i) => (after[i].user + after[i].system - user - system) / 1e6)
  return { mbps: (received * 8) / seconds / 1e6, cpuSeconds: cpu[0] + cpu[1] }
}

async function usage(child) {
  child.send('usage')
  return (await once(child, 'message'))[0]
}

function median(rows) {
  const of = name => rows.map(row => row[name]).sort((a, b) => a - b)[rows.length >> 1]
  return { mbps: of('mbps'), cpuSeconds: of('cpuSeconds') }
}

export function print({ environment, mebibytes, samples, sizes }) {
  const { node, cpu, cores, date } = environment
  const rows = sizes.map(
    ({ size, mbps, cpuSeconds }) =>
      `${String(size).padStart(8)}${mbps.toFixed(0).padStart(10)}${((1000 * cpuSeconds) / mebibytes).toFixed(2).padStart(18)}`,
  )
  return [
    `${mebibytes} MiB between two processes over loopback, medians of ${samples}, in turns`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    `${'datagram'.padStart(8)}${'Mbit/s'.padStart(10)}${'CPU ms per MiB'.padStart(18)}`,
    ...rows,
  ].join('\n')
}
