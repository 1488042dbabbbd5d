// The path: amplification, validation, clients that move (RFC 9000 §8, §9).

import { describe, expect, test } from 'vitest'
import { MAX_QUEUED_RESPONSES, Path } from '../../src/connection/path.ts'
import { MAX_PROBED, Probes } from '../../src/connection/probes.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { FrameType } from '../../src/packet/frames/frame.ts'
import { readHeader } from '../../src/packet/header.ts'
import { Level } from '../../src/packet/level.ts'
import { PacketWriter } from '../../src/packet/packet-writer.ts'
import { singleCertificate } from '../../src/tls13/certificate-policy.ts'
import { clientAddress, Pair, type PairOptions } from '../sim/pair.ts'
import { p256, x509Chain } from '../support/certificates.ts'
import { frames, OpenPair, pingBytes, Transfer } from './support.ts'

const rebound = { host: clientAddress.host, port: 50_001 }
const elsewhere = { host: '198.51.100.7', port: 50_002 }

function moved(options: PairOptions = {}): OpenPair {
  const pair = new OpenPair(options).connect()
  pair.world.pass(500)
  return pair
}

function challenge(data: number): Uint8Array {
  return frames(w => {
    w.u8(FrameType.PathChallenge)
    w.put(new Uint8Array(8).fill(data))
  })
}

/** Where each datagram of the server went. */
function destinations(pair: Pair): string[] {
  const log: string[] = []
  const send = pair.server.send.bind(pair.server)
  pair.server.send = (datagram, to) => {
    log.push(`${to?.host}:${to?.port} ${datagram.length}`)
    send(datagram, to)
  }
  return log
}

describe('amplification (RFC 9000 §8.1; security: 3x)', () => {
  const ballast = Array.from({ length: 20 }, () => x509Chain('leaf-rsa.pem')[0] as Uint8Array)
  const certificates = singleCertificate({
    chain: [...p256.chain, ...ballast],
    key: nodeBackend.privateKey(p256.keyPem),
  })

  test('a server whose client is silent sends three times what it got, and then nothing', () => {
    const pair = new Pair({ server: { certificates }, toServer: { drop: index => index > 0 } }).start()
    pair.client.filter = () => undefined
    pair.world.pass(20_000)
    expect(pair.server.received).toBe(1200)
    expect(pair.server.sentBytes).toBe(3600)
    expect(pair.server.connection.isAddressValidated).toBe(false)
  })

  test('its timer does not run meanwhile, and fires at once when credit comes (RFC 9002 §6.2.2.1)', () => {
    const pair = new OpenPair({ server: { certificates }, toServer: { drop: index => index > 0 } })
    pair.start()
    pair.client.filter = () => undefined
    pair.world.pass(5000)
    expect(pair.server.connection.nextTimeout()).toBeGreaterThan(20_000)
    const before = pair.server.sentBytes
    pair.server.receive((pair.client.sent[0] as Uint8Array).slice(), clientAddress)
    expect(pair.server.sentBytes - before).toBeGreaterThan(1000)
    expect(pair.server.sentBytes).toBeLessThanOrEqual(3 * pair.server.received)
  })

  test('garbage from elsewhere gives no credit', () => {
    const pair = new Pair({ server: { certificates }, toServer: { drop: index => index > 0 } }).start()
    pair.client.filter = () => undefined
    pair.world.pass(5000)
    const before = pair.server.sentBytes
    for (let i = 0; i < 50; i++) pair.server.receive(new Uint8Array(1200).fill(0x40), elsewhere)
    expect(pair.server.sentBytes).toBe(before)
  })

  test('a token proves the address: no limit from the first datagram on', () => {
    const options = { server: { certificates }, toServer: { drop: (index: number) => index > 0 } }
    const pair = new Pair({ ...options, isAddressValidated: true }).start()
    pair.client.filter = () => undefined
    pair.world.pass(100)
    expect(pair.server.sentBytes).toBeGreaterThan(8000)
  })

  test('a Handshake packet proves it too', () => {
    const pair = new Pair().start()
    pair.world.run(() => pair.server.hasConnection, 100)
    expect(pair.server.connection.isAddressValidated).toBe(false)
    pair.world.run(() => pair.server.trips === 3, 100)
    expect(pair.server.connection.isAddressValidated).toBe(true)
  })
})

describe('a client whose address changes (RFC 9000 §9.3)', () => {
  test.each([
    ['another port', rebound],
    ['another host', elsewhere],
  ])('%s is followed and validated, in the middle of a transfer', (_, address) => {
    const pair = new OpenPair({ link: { delay: 20 } }).connect()
    const transfer = new Transfer(pair, 200_000, 200_000).begin()
    transfer.run(pair.world.now + 100)
    pair.client.address = address
    expect(transfer.run()).toBe(true)
    expect(pair.server.connection.remote).toEqual(address)
    expect(pair.server.connection.isAddressValidated).toBe(true)
    expect(pair.logs.client.frames(FrameType.PathResponse).length).toBeGreaterThan(0)
  })

  test('from a small packet too: the challenge fits what may be sent (§8.2.1)', () => {
    const pair = moved()
    const log = destinations(pair)
    pair.client.address = rebound
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
    pair.world.pass(11)
    const [first] = log.filter(line => line.startsWith(`${rebound.host}:${rebound.port} `))
    expect(Number(first?.split(' ')[1])).toBeLessThan(1200)
    pair.world.pass(200)
    expect(pair.server.connection.isAddressValidated).toBe(true)
  })

  test('never more than three times as much goes to an address nobody has answered from', () => {
    const pair = moved()
    const id = pair.server.connection.openStream('uni') as number
    pair.server.act(server => server.write(id, new Uint8Array(200_000), true))
    pair.world.pass(5)
    const log = destinations(pair)
    let received = 0
    for (let i = 0; i < 5; i++) {
      const datagram = pair.forge('client', Level.OneRtt, pingBytes)
      received += datagram.length
      pair.server.receive(datagram, elsewhere)
      pair.world.pass(100)
    }
    const sent = log.filter(line => line.startsWith(elsewhere.host)).map(line => Number(line.split(' ')[1]))
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3 * received)
  })

  test('an address where nobody answers is given up (§9.3.2)', () => {
    const pair = moved()
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
    pair.server.receive((pair.client.sent.at(-1) as Uint8Array).slice(), elsewhere)
    expect(pair.server.connection.remote).toEqual(elsewhere)
    // Neither from there nor from where the client was comes anything.
    pair.server.filter = () => undefined
    pair.world.pass(2500)
    expect(pair.server.connection.remote).toEqual(elsewhere)
    pair.world.pass(1000)
    expect(pair.server.connection.remote).toEqual(clientAddress)
    expect(pair.server.connection.isAddressValidated).toBe(true)
    pair.server.filter = datagram => datagram
    expect(new Transfer(pair, 10_000, 10_000).begin().run()).toBe(true)
  })

  test('§9.3.3: somebody who forwards a packet: the old address is asked, and the client wins back', () => {
    const pair = moved()
    const log = destinations(pair)
    pair.client.act(client => client.write(client.openStream('uni') as number, pingBytes, true))
    const copy = (pair.client.sent.at(-1) as Uint8Array).slice()
    pair.server.receive(copy, elsewhere)
    expect(pair.server.connection.remote).toEqual(elsewhere)
    expect(log).toContain(`${clientAddress.host}:${clientAddress.port} 1200`)
    pair.world.pass(100)
    expect(pair.server.connection.remote).toEqual(clientAddress)
    expect(pair.server.connection.isAddressValidated).toBe(true)
  })

  test('probing alone moves nothing (§9.1), and is answered where it came from (§8.2.2)', () => {
    const pair = moved()
    const log = destinations(pair)
    const datagram = pair.forge('client', Level.OneRtt, challenge(3), { padTo: 1200 })
    pair.server.receive(datagram, elsewhere)
    expect(pair.server.connection.remote).toEqual(clientAddress)
    expect(log).toContain(`${elsewhere.host}:${elsewhere.port} 1200`)
    expect(pair.logs.server.frames(FrameType.PathResponse).at(-1)?.data).toEqual(new Uint8Array(8).fill(3))
  })

  test('an answer to a small probe is no larger than three times the probe', () => {
    const pair = moved()
    const log = destinations(pair)
    const datagram = pair.forge('client', Level.OneRtt, challenge(3))
    pair.server.receive(datagram, elsewhere)
    const [answer] = log.filter(line => line.startsWith(elsewhere.host))
    expect(Number(answer?.split(' ')[1])).toBeLessThanOrEqual(3 * datagram.length)
  })

  test('before the handshake is confirmed nobody is followed', () => {
    const pair = new OpenPair()
    pair.start()
    pair.world.run(() => pair.server.hasConnection, 100)
    pair.inject('client', Level.Initial, pingBytes, { from: elsewhere })
    expect(pair.server.connection.remote).toEqual(clientAddress)
  })

  test('a client ignores what comes from an address it does not know (§9)', () => {
    const pair = new OpenPair().connect()
    const before = pair.client.connection.stats.packetsReceived
    pair.inject('server', Level.OneRtt, pingBytes, { from: elsewhere })
    expect(pair.client.connection.stats.packetsReceived).toBe(before)
    expect(pair.client.connection.remote).not.toEqual(elsewhere)
  })

  test('an older packet from elsewhere is late, not moved', () => {
    const pair = moved()
    pair.inject('client', Level.OneRtt, pingBytes, { number: 5000 })
    pair.inject('client', Level.OneRtt, pingBytes, { number: 4999, from: elsewhere })
    expect(pair.server.connection.remote).toEqual(clientAddress)
  })

  test('a client that moves with a new id is sent another id as well (§9.5)', () => {
    const pair = moved()
    const [first, second] = pair.logs.server.frames(FrameType.NewConnectionId)
    expect(second?.sequence).toBe((first?.sequence ?? 0) + 1)
    pair.inject('client', Level.OneRtt, pingBytes, { from: elsewhere, destination: first?.id as Uint8Array })
    pair.world.pass(1)
    expect(readHeader(pair.server.sent.at(-1) as Uint8Array, 0, 8)?.destination).not.toEqual(pair.id('client'))
    // Nobody answers there.
    pair.world.pass(7000)
    expect(pair.server.connection.remote).toEqual(clientAddress)
    const retired = pair.logs.server.frames(FrameType.RetireConnectionId).map(({ sequence }) => sequence)
    expect(new Set(retired)).toEqual(new Set([1]))
  })
})

describe('challenges (RFC 9000 §8.2; security: PATH_CHALLENGE flood)', () => {
  test('each is answered with its own bytes', () => {
    const pair = new OpenPair().connect()
    pair.inject('server', Level.OneRtt, challenge(9))
    expect(pair.logs.client.frames(FrameType.PathResponse)[0]?.data).toEqual(new Uint8Array(8).fill(9))
  })

  test('no more than eight answers wait, on the path and off it', () => {
    const path = new Path(clientAddress, true, () => new Uint8Array(8))
    const probes = new Probes()
    for (let i = 0; i < 1000; i++) {
      path.onChallenge(new Uint8Array(8).fill(i))
      probes.onChallenge(new Uint8Array(8).fill(i), elsewhere, 1200, false, false)
    }
    expect(probes.next()?.responses.length).toBe(MAX_QUEUED_RESPONSES)
    const packet = new PacketWriter(Level.OneRtt, new Uint8Array(1200), 0, 1184)
    path.write(packet, 0)
    expect(packet.frames.length).toBe(MAX_QUEUED_RESPONSES)
  })

  test('security: no more than four addresses are remembered besides the peer’s', () => {
    const probes = new Probes()
    for (let port = 1; port <= 1000; port++) {
      probes.onChallenge(new Uint8Array(8), { host: elsewhere.host, port }, 1200, false, false)
      probes.onReceived({ host: elsewhere.host, port: port + 1000 }, 1200)
    }
    expect(probes.size).toBe(MAX_PROBED)
  })

  test('a datagram full of challenges gets eight answers, and none of them is repeated when lost', () => {
    const pair = new OpenPair({ link: { delay: 10 } }).connect()
    const flood = frames(w => {
      for (let i = 0; i < 100; i++) w.put(challenge(i))
    })
    pair.client.filter = () => undefined
    pair.server.filter = () => undefined
    pair.client.connection.receive(pair.forge('server', Level.OneRtt, flood), pair.server.address, pair.world.now)
    pair.client.flush()
    pair.world.pass(5000)
    expect(pair.logs.client.frames(FrameType.PathResponse).length).toBe(MAX_QUEUED_RESPONSES)
  })

  test('an answer to no question is ignored', () => {
    const pair = new OpenPair().connect()
    pair.inject(
      'client',
      Level.OneRtt,
      frames(w => {
        w.u8(FrameType.PathResponse)
        w.zeros(8)
      }),
    )
    expect(pair.server.has('closed')).toBe(false)
  })
})
