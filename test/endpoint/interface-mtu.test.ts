// How large datagrams may be, as far as this machine knows (RFC 8899 §5.1.1), and that they become so.

import type { NetworkInterfaceInfo } from 'node:os'
import { describe, expect, test } from 'vitest'
import { type Interfaces, interfacePayload } from '../../src/endpoint/interface-mtu.ts'
import { client, echo, eventually, isSame, pattern, server, Tap } from './helpers.ts'

function at(cidr: string, internal = false): NetworkInterfaceInfo {
  const address = cidr.split('/')[0] as string
  const common = { address, cidr, netmask: '', mac: '', internal }
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' }
}

const interfaces: Interfaces = {
  lo: [at('127.0.0.1/8', true), at('::1/128', true)],
  eth0: [at('192.0.2.7/24'), at('2001:db8::7/64')],
  jumbo0: [at('10.0.0.7/16'), at('fd00::7/48')],
}
const mtus: Record<string, number> = { lo: 65_536, eth0: 1500, jumbo0: 9000 }
const payload = (host: string, sizes = mtus): number | undefined =>
  interfacePayload(host, interfaces, name => sizes[name])

describe('RFC 8899 §5.1.1: the first hop bounds the search', () => {
  test.each([
    ['127.0.0.1', 16_000],
    ['127.8.8.8', 16_000],
    ['::1', 16_000],
    // Addresses of its own do not leave the machine.
    ['192.0.2.7', 16_000],
    ['fd00::7', 16_000],
    ['192.0.2.200', 1472],
    ['2001:db8::1', 1452],
    ['10.0.200.1', 8972],
    ['fd00::9', 8952],
    // Beyond a router nobody knows: what Ethernet takes under IPv6.
    ['203.0.113.1', 1452],
    ['2001:db8:1::1', 1452],
  ])('%s: %d bytes', (host, size) => expect(payload(host)).toBe(size))

  test('an interface narrower than usual bounds what goes beyond', () => {
    expect(payload('203.0.113.1', { ...mtus, eth0: 1400 })).toBe(1372)
    expect(payload('2001:db8:1::1', { ...mtus, eth0: 1400 })).toBe(1352)
  })

  test('where the system tells nothing, nothing is known', () => {
    expect(payload('127.0.0.1', {})).toBe(undefined)
    expect(payload('203.0.113.1', {})).toBe(1452)
    expect(interfacePayload('203.0.113.1', {}, () => undefined)).toBe(1452)
  })
})

const isLinux = process.platform === 'linux'

describe('datagrams over loopback (RFC 9000 §14.3)', () => {
  async function sizes(length: number, transport = {}): Promise<number[]> {
    const { address } = await server(echo, { transport })
    const tap = await Tap.before(address)
    const session = client(tap.address, { transport })
    const stream = await session.openStream()
    const writing = stream.write(pattern(length)).then(() => stream.end())
    expect(isSame(await stream.bytes(), pattern(length))).toBe(true)
    await writing
    return [...tap.toServer, ...tap.toClient].map(datagram => datagram.length)
  }

  test.runIf(isLinux)('grow to what gains most there', async () => {
    expect(Math.max(...(await sizes(2_000_000)))).toBe(16_000)
  })

  test('are not tried out for a short request', async () => {
    expect(Math.max(...(await sizes(3000)))).toBe(1200)
  })

  test('no larger than the option says', async () => {
    expect(Math.max(...(await sizes(1_000_000, { probeDatagramSize: 1300 })))).toBe(1300)
  })

  test.runIf(isLinux)('a path that swallows large datagrams in the middle swallows nothing else', async () => {
    const { address } = await server(echo)
    const tap = await Tap.before(address)
    const session = client(tap.address)
    const stream = await session.openStream()
    const writing = stream.write(pattern(3_000_000)).then(() => stream.end())
    const reading = stream.bytes()
    expect(await eventually(() => tap.toServer.some(({ length }) => length === 16_000))).toBe(true)
    tap.passes = datagram => datagram.length <= 1250
    expect(isSame(await reading, pattern(3_000_000))).toBe(true)
    await writing
  })
})
