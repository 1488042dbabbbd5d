import { expect, test } from 'vitest'
import { Pair } from '../sim/pair.ts'

/** Sends `length` bytes from the client and returns how large the datagrams were that carried them, in order. */
function transfer(
  length: number,
  limit: (now: number) => number,
  probeDatagramSize = 1452,
): { sizes: number[]; isWhole: boolean } {
  const sizes: number[] = []
  let received = 0
  let isWhole = false
  const pair: Pair = new Pair({
    toServer: {
      drop: (_index, datagram) => {
        sizes.push(datagram.length)
        return datagram.length > limit(pair.world.now)
      },
    },
    client: { transport: { probeDatagramSize, sendBufferSize: 2 ** 22 } },
    bufferSize: 70_000,
  })
  pair.connect()
  pair.server.onEvent = event => {
    if (event.type !== 'readable') return
    const { connection } = pair.server
    for (let chunk = connection.read(event.id); chunk; chunk = connection.read(event.id)) {
      received += chunk.data.length
      isWhole ||= chunk.fin && received === length
    }
  }
  const id = pair.client.connection.openStream('bidi') as number
  pair.client.connection.write(id, new Uint8Array(length), true)
  pair.client.flush()
  pair.world.run(() => isWhole, 120_000)
  return { sizes, isWhole }
}

test('RFC 8899 §4.3: what the system refuses to send (EMSGSIZE) is known at once, and only for where it was sent', () => {
  const pair = new Pair({ bufferSize: 70_000, client: { transport: { sendBufferSize: 2 ** 22 } } }).connect()
  const { client, server } = pair
  client.connection.write(client.connection.openStream('uni') as number, new Uint8Array(2_000_000), true)
  client.flush()
  const mtu = (): number => client.connection.statistics().pathMtu
  pair.world.run(() => mtu() === 1452, 5000)
  const { remote } = client.connection
  client.connection.onDatagramTooLarge(1452, { ...remote, port: 1 }, pair.world.now)
  client.connection.onDatagramTooLarge(1200, remote, pair.world.now)
  client.connection.onDatagramTooLarge(0, remote, pair.world.now)
  expect(mtu()).toBe(1452)
  client.connection.onDatagramTooLarge(1300, remote, pair.world.now)
  expect(mtu()).toBe(1200)
  const sent = client.sent.length
  server.onEvent = event => {
    if (event.type !== 'readable') return
    while (server.connection.read(event.id) !== undefined);
  }
  for (const { id } of server.events.filter(event => event.type === 'readable')) {
    while (server.connection.read(id) !== undefined);
  }
  server.flush()
  pair.world.run(() => client.has('streamFinished'), 20_000)
  expect(client.has('streamFinished')).toBe(true)
  const sizes = client.sent.slice(sent).map(datagram => datagram.length)
  expect(Math.max(...sizes)).toBeGreaterThan(1200)
  expect(Math.max(...sizes)).toBeLessThan(1300)
})

test('RFC 9000 §14.3: datagrams grow to what the path takes, while there is much to send', () => {
  const { sizes, isWhole } = transfer(1_000_000, () => Number.POSITIVE_INFINITY)
  expect(isWhole).toBe(true)
  expect(Math.max(...sizes)).toBe(1452)
  expect(sizes.filter(size => size === 1452).length).toBeGreaterThan(sizes.length / 2)
})

test('RFC 8899 §5.3: a path that takes less is found out, and nothing is missing', () => {
  const { sizes, isWhole } = transfer(2_000_000, () => 1420)
  expect(isWhole).toBe(true)
  const last = sizes.slice(-200)
  expect(Math.max(...last)).toBeLessThanOrEqual(1420)
  expect(Math.max(...last)).toBeGreaterThanOrEqual(1400)
})

test('RFC 8899 §4.3: a path that begins to swallow large datagrams does not swallow the connection', () => {
  const { sizes, isWhole } = transfer(3_000_000, now => (now < 150 ? 1500 : 1250))
  expect(isWhole).toBe(true)
  expect(Math.max(...sizes)).toBe(1452)
  // One probe now and then may still be larger.
  expect(sizes.slice(-100).filter(size => size > 1250).length).toBeLessThan(5)
})

test('RFC 9000 §14: jumbo frames where they are asked for', () => {
  const { sizes, isWhole } = transfer(3_000_000, () => 9000, 65_527)
  expect(isWhole).toBe(true)
  expect(Math.max(...sizes.slice(-50))).toBeGreaterThan(8900)
})

test('RFC 9000 §14.3: an option turns it off', () => {
  const { sizes, isWhole } = transfer(500_000, () => Number.POSITIVE_INFINITY, 1200)
  expect(isWhole).toBe(true)
  expect(Math.max(...sizes)).toBe(1200)
})

test.each([1337, 2500, 9000, 30_000])(
  'RFC 8899 §5.3: a path of %d bytes is found out, whatever else gets lost',
  mtu => {
    let seed = mtu
    const { sizes, isWhole } = transfer(
      3_000_000,
      () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
        return seed % 100 < 2 ? 0 : mtu
      },
      65_507,
    )
    expect(isWhole).toBe(true)
    const fitting = sizes.filter(size => size <= mtu)
    expect(mtu - Math.max(...fitting)).toBeLessThan(Math.max(40, mtu / 100))
    // Three probes of each size that is too large, of some twenty sizes.
    expect(sizes.length - fitting.length).toBeLessThan(60)
  },
)
