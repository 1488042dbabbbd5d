// What belongs to one packet number space: its acknowledgements and its CRYPTO stream (RFC 9000 §12.3).

import { Level, Space } from '../packet/level.ts'
import { defaultTransportParameters, type TransportParameters } from '../packet/transport-parameters.ts'
import { ReceivedPackets } from '../recovery/received-packets.ts'
import { CryptoStream } from '../streams/crypto-stream.ts'

/** RFC 9000 §18.2: what is declared as max_ack_delay has room for timers that are late, ms. */
const TIMER_DELAY = 1

/** CRYPTO bytes held back out of order, per level: a client must take long certificate chains. */
const CRYPTO_BUFFER = { client: 65_536, server: 16_384 } as const

export class PacketSpace {
  readonly space: Space
  /** The level whose packets carry ACK and CRYPTO in this space. */
  readonly level: Level
  readonly received: ReceivedPackets
  readonly crypto: CryptoStream

  constructor(space: Space, level: Level, received: ReceivedPackets, crypto: CryptoStream) {
    this.space = space
    this.level = level
    this.received = received
    this.crypto = crypto
  }
}

/** Indexed by Space. */
export type PacketSpaces = readonly [PacketSpace, PacketSpace, PacketSpace]

export function packetSpaces(isClient: boolean, parameters: TransportParameters): PacketSpaces {
  return [
    packetSpace(Space.Initial, Level.Initial, isClient, parameters),
    packetSpace(Space.Handshake, Level.Handshake, isClient, parameters),
    packetSpace(Space.Application, Level.OneRtt, isClient, parameters),
  ]
}

/** The keys of a space are gone (RFC 9001 §4.9): nothing of it is acknowledged or sent again. */
export function withoutSpace(spaces: PacketSpaces, discarded: Space): PacketSpaces {
  const [initial, handshake, application] = spaces
  if (discarded === Space.Initial) return [spent[Space.Initial], handshake, application]
  return [initial, spent[Space.Handshake], application]
}

function packetSpace(space: Space, level: Level, isClient: boolean, parameters: TransportParameters): PacketSpace {
  const { maxAckDelay, ackDelayExponent } = parameters
  const received = new ReceivedPackets(space, { maxAckDelay: Math.max(0, maxAckDelay - TIMER_DELAY), ackDelayExponent })
  return new PacketSpace(space, level, received, new CryptoStream(level, CRYPTO_BUFFER[isClient ? 'client' : 'server']))
}

/** In place of what is discarded, in all connections: without keys nothing is put into them. */
const spent: PacketSpaces = packetSpaces(false, defaultTransportParameters)
