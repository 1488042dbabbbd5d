// What the quic-interop-runner looks for in its captures, each as a function of { client, server, hasKeys }: the traces of
// both ends of the link, and whether there are secrets to decrypt them with. It throws an Error that says what is wrong.

import { V1, V2, valuesOf } from './trace.mjs'

/** The implementation gives too little away to be judged. */
export class Unsupported extends Error {}

export function handshakes(count) {
  return async ({ server }) => {
    const found = new Set((await longOf(server, 'initial', true)).map(({ layer }) => layer['quic.scid']))
    expect(found.size === count, `${found.size} handshakes, not ${count}`)
  }
}

export async function onlyVersion1({ server }) {
  const versions = new Set((await longOf(server, 'initial', true)).map(({ version }) => version))
  expect(versions.size === 1 && versions.has(V1), `versions ${[...versions]} in Initial packets of the server`)
}

export const oneHandshake = all(handshakes(1), onlyVersion1)

export async function noRetry({ client }) {
  expect((await longOf(client, 'retry', true)).length === 0, 'the server sent a Retry')
}

export async function repeatsClientHello({ client }) {
  const hellos = (await longOf(client, 'initial', false)).filter(({ layer }) => {
    const types = valuesOf(layer, 'tls.handshake.type')
    // tshark does not parse again what it has seen.
    return types.length > 0 ? types.includes('1') : valuesOf(layer, 'quic.crypto.offset').length > 0
  })
  expect(hellos.length >= 2, `${hellos.length} ClientHellos: nothing was sent again`)
}

export async function onlyChaCha20({ client }) {
  const packets = await longOf(client, 'initial', false)
  const suites = packets.flatMap(({ layer }) => valuesOf(layer, 'tls.handshake.ciphersuite'))
  expect(suites.length > 0 && suites.every(suite => Number(suite) === 0x1303), `cipher suites ${suites} are offered`)
}

/** `suite`: its number. */
export function agreesOn(suite) {
  return async ({ client }) => {
    const packets = await longOf(client, 'initial', true)
    const suites = new Set(packets.flatMap(({ layer }) => valuesOf(layer, 'tls.handshake.ciphersuite')).map(Number))
    expect(suites.size === 1 && suites.has(suite), `the server chose ${[...suites]}, not ${suite}`)
  }
}

/** RFC 8446 §4.1.3: a ServerHello with this random is a HelloRetryRequest. */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'

export async function asksForAnotherShare({ client }) {
  const packets = await longOf(client, 'initial', true)
  const randoms = packets.flatMap(({ layer }) => valuesOf(layer, 'tls.handshake.random'))
  expect(
    randoms.some(random => random.replaceAll(':', '') === RETRY_RANDOM),
    'the server sent no HelloRetryRequest',
  )
}

export const raisesStreamLimit = withKeys(async ({ client }) => {
  const packets = await longOf(client, 'handshake', true)
  const limits = packets.flatMap(({ layer }) => valuesOf(layer, 'tls.quic.parameter.initial_max_streams_bidi'))
  expect(limits.length > 0, 'no initial_max_streams_bidi of the server to be seen')
  expect(
    limits.every(limit => Number(limit) <= 1000),
    `the server begins with a limit of ${limits} streams`,
  )
})

export async function followsRetry({ client }) {
  const retries = await longOf(client, 'retry', true)
  const tokens = retries.flatMap(({ layer }) => valuesOf(layer, 'quic.retry_token'))
  expect(retries.length > 0, 'the server sent no Retry')
  expect(tokens.length === retries.length, 'a Retry has no token')
  let highest = -1
  for (const { layer } of await longOf(client, 'initial', false)) {
    const number = Number(layer['quic.packet_number'])
    if (layer['quic.token_length'] === '0') {
      highest = Math.max(highest, number)
      continue
    }
    expect(number > highest, `packet number ${number} after ${highest}: Retry has reset it`)
    if (tokens.includes(layer['quic.token'])) return
  }
  throw new Error('no Initial packet has the token of a Retry')
}

export const resumes = withKeys(async ({ client }) => {
  const packets = await longOf(client, 'handshake', true)
  const ids = [...new Set(packets.map(({ layer }) => layer['quic.scid']))]
  expect(ids.length === 2, `Handshake packets of ${ids.length} connections, not 2`)
  const [first, second] = ids.map(id => packets.some(({ layer }) => layer['quic.scid'] === id && hasCertificate(layer)))
  expect(first, 'no Certificate in the first handshake')
  expect(!second, 'a Certificate in the second handshake')
})

export async function sendsEarlyData({ client }) {
  const early = await longOf(client, '0-rtt', false)
  const late = (await client.short(['quic.protected_payload', 'quic.remaining_payload'])).filter(
    each => !each.isFromServer,
  )
  const earlySize = sum(early.map(({ layer }) => lengthOf(layer['quic.payload'] ?? layer['quic.remaining_payload'])))
  const lateSize = sum(late.map(({ fields }) => lengthOf(fields['quic.protected_payload'].at(-1))))
  expect(earlySize > 0, 'no 0-RTT packets')
  expect(lateSize <= MOST_1RTT, `${lateSize} bytes in 1-RTT packets of the client`)
  return `${earlySize} bytes in 0-RTT packets, ${lateSize} in 1-RTT packets`
}

/** Half of the names of all files. */
const MOST_1RTT = 5000

export const updatesKeys = withKeys(async facts => {
  for (const [name, isServer] of [
    ['client', false],
    ['server', true],
  ]) {
    const rows = (await facts[name].short(['quic.key_phase'])).filter(each => each.isFromServer === isServer)
    const phases = rows.flatMap(({ fields }) => fields['quic.key_phase'])
    expect(phases.some(isSet), `no packet of the ${name} has key phase 1`)
    expect(!phases.every(isSet), `no packet of the ${name} has key phase 0`)
  }
})

export const marksEcn = withKeys(async facts => {
  for (const [name, isServer] of [
    ['client', false],
    ['server', true],
  ]) {
    const rows = await facts[name].datagrams(['ip.dsfield.ecn', 'quic.ack.ect0_count'])
    const sent = rows.filter(each => each.isFromServer === isServer)
    const marks = sent.map(({ fields }) => Number(fields['ip.dsfield.ecn'][0]))
    expect(marks.includes(1) || marks.includes(2), `the ${name} marks no packet`)
    expect(!marks.includes(3), `the ${name} sends packets marked as congested`)
    expect(
      sent.some(({ fields }) => fields['quic.ack.ect0_count'].length > 0),
      `the ${name} sends no ACK with ECN counts`,
    )
  }
})

/** Three times what the client sent, until it has proven its address; four times is let pass, as by the runner. */
export const keepsAmplificationLimit = withKeys(async ({ server }) => {
  const packets = await server.long()
  const ends = packets
    .filter(each => each.isFromServer && each.type === 'handshake')
    .flatMap(({ layer }) => cryptoEnds(layer))
  expect(Math.max(0, ...ends) >= LEAST_FLIGHT, `the server sent ${Math.max(0, ...ends)} bytes: not the whole chain`)
  const ids = new Set(packets.filter(each => each.isFromServer && each.type === 'initial').map(scidOf))
  let allowed = 0
  for (const { isFromServer, type, sizes, dcids } of await datagramsOf(server)) {
    if (isFromServer) {
      expect(sizes < allowed, `the server sent ${sizes} bytes where ${allowed} were left of four times what it got`)
      allowed -= sizes
    } else if (type.includes('handshake') || dcids.some(id => ids.has(id) && id.length >= EIGHT_BYTES)) {
      return
    } else if (type.includes('initial')) allowed += 4 * sizes
  }
  throw new Error('the client never proved its address')
})

const LEAST_FLIGHT = 7500
/** In hexadecimal digits. */
const EIGHT_BYTES = 16

async function datagramsOf(trace) {
  const names = ['udp.length', 'quic.long.packet_type', 'quic.dcid']
  return (await trace.datagrams(names)).map(({ isFromServer, fields }) => ({
    isFromServer,
    type: fields['quic.long.packet_type'].map(type => ({ 0: 'initial', 2: 'handshake' })[type] ?? 'other'),
    sizes: Number(fields['udp.length'][0]) - 8,
    dcids: fields['quic.dcid'],
  }))
}

function cryptoEnds(layer) {
  const offsets = valuesOf(layer, 'quic.crypto.offset')
  const lengths = valuesOf(layer, 'quic.crypto.length')
  return offsets.map((offset, i) => Number(offset) + Number(lengths[i]))
}

/** Each new path begins with a PATH_CHALLENGE of the server, and the client answers it. */
export const validatesPaths = withKeys(async ({ client, server }) => {
  const sent = (await server.datagrams(['quic.path_challenge.data'])).filter(each => each.isFromServer)
  const seen = new Set(sent.slice(0, 1).map(({ path }) => path.text))
  const challenges = []
  for (const { path, fields } of sent) {
    if (seen.has(path.text)) continue
    seen.add(path.text)
    const [challenge] = fields['quic.path_challenge.data']
    expect(challenge !== undefined, `the first packet of the server on ${path.text} has no PATH_CHALLENGE`)
    challenges.push(challenge)
  }
  expect(seen.size > 1, 'the server used a single path')
  const answers = (await client.datagrams(['quic.path_response.data'])).filter(each => !each.isFromServer)
  const data = answers.flatMap(({ fields }) => fields['quic.path_response.data'])
  const open = challenges.filter(each => !data.includes(each))
  expect(open.length === 0, `${open.length} of ${challenges.length} PATH_CHALLENGE frames were not answered`)
  return `${seen.size} paths`
})

export async function seesAddresses({ server }) {
  const sent = (await server.datagrams([])).filter(each => each.isFromServer)
  const addresses = new Set(sent.map(({ path }) => path.destination))
  expect(addresses.size > 1, 'the server saw a single address of the client')
}

/** On a new path the client uses another connection id. */
export const changesIds = withKeys(async ({ client }) => {
  const sent = (await client.datagrams(['quic.dcid'])).filter(each => !each.isFromServer)
  const ids = new Map()
  let last
  for (const { path, fields } of sent) {
    const id = fields['quic.dcid'].at(-1)
    if (!ids.has(path.text) && last !== undefined) {
      expect(id !== last, `the client goes on with connection id ${id} on a new path`)
    }
    ids.set(path.text, id)
    last = id
  }
  expect(ids.size > 1, 'the client used a single path')
})

export async function onlyIpv6({ server }) {
  const rows = await server.datagrams([])
  const old = rows.filter(({ path }) => !path.source.includes(':'))
  expect(old.length === 0, `${old.length} packets over IPv4`)
}

/** By compatible version negotiation (RFC 9368). */
export async function negotiatesVersion2({ client, server }) {
  const versions = async (trace, type, isServer) =>
    new Set((await longOf(trace, type, isServer)).map(({ version }) => version))
  expect((await versions(client, 'initial', false)).has(V1), 'the client does not begin with version 1')
  expect((await versions(server, 'initial', true)).has(V2), 'the server does not choose version 2')
  for (const [trace, isServer, who] of [
    [client, false, 'client'],
    [server, true, 'server'],
  ]) {
    const found = await versions(trace, 'handshake', isServer)
    expect(found.size === 1 && found.has(V2), `versions ${[...found]} in Handshake packets of the ${who}`)
  }
}

/** kbit/s from the first 1-RTT packet of the server to the last. */
export function goodput(bytes) {
  return async ({ client }) => {
    const rows = (await client.short(['frame.time_epoch'])).filter(each => each.isFromServer)
    const times = rows.map(({ fields }) => Number(fields['frame.time_epoch'][0]))
    const seconds = times.at(-1) - times[0]
    expect(seconds > 0, 'no 1-RTT packets of the server')
    return { kbps: Math.round((bytes * 8) / seconds / 1000) }
  }
}

/** One after another; the last thing that one returns is what all do. */
export function all(...checks) {
  return async facts => {
    let result
    for (const check of checks) result = (await check(facts)) ?? result
    return result
  }
}

function withKeys(check) {
  return facts => {
    if (!facts.hasKeys) throw new Unsupported('neither side logs its secrets')
    return check(facts)
  }
}

async function longOf(trace, type, isFromServer) {
  return (await trace.long()).filter(each => each.type === type && each.isFromServer === isFromServer)
}

function hasCertificate(layer) {
  return valuesOf(layer, 'tls.handshake.certificates_length').length > 0
}

function scidOf({ layer }) {
  return layer['quic.scid'].replaceAll(':', '')
}

/** Of bytes written as hexadecimal digits, with colons or without. */
function lengthOf(hex) {
  return (hex ?? '').replaceAll(':', '').length / 2
}

function isSet(bit) {
  return bit === '1' || bit === 'True'
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}

function expect(isTrue, message) {
  if (!isTrue) throw new Error(message)
}
