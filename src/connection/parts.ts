// The parts of one connection, side by side. Each owns its state and answers write / onAcked / onLost; the loops in
// receive.ts, frame-dispatch.ts, delivery.ts and transmit.ts carry things between them and hold no rule of their own.

import type { MemoryAccount } from '../bytes/memory-budget.ts'
import type { Recorder } from '../qlog/recorder.ts'
import type { MtuDiscovery } from '../recovery/mtu-discovery.ts'
import type { Recovery } from '../recovery/recovery.ts'
import type { StreamSet } from '../streams/stream-set.ts'
import type { TlsSession } from '../tls13/session.ts'
import type { AckRequests } from './ack-frequency.ts'
import type { Close } from './close.ts'
import type { Dependencies, Transport } from './config.ts'
import type { Datagrams } from './datagrams.ts'
import type { Departure } from './departure.ts'
import type { EventQueue } from './event-queue.ts'
import type { FirstByteBits } from './grease.ts'
import type { HandshakeState } from './handshake-state.ts'
import type { Idle } from './idle.ts'
import type { Keyring } from './keyring.ts'
import type { LocalIds } from './local-ids.ts'
import type { HandshakeDone, NewToken } from './one-shot.ts'
import type { PacketSpaces } from './packet-space.ts'
import type { Parked } from './parked.ts'
import type { Path } from './path.ts'
import type { PeerIds } from './peer-ids.ts'
import type { Probes } from './probes.ts'
import type { Silence } from './silence.ts'
import type { Stats } from './stats.ts'
import type { Versions } from './versions.ts'

export interface Parts {
  readonly isClient: boolean
  versions: Versions
  readonly transport: Transport
  readonly deps: Dependencies
  readonly recorder: Recorder
  /** `now + timeOrigin` is wall-clock time in ms. */
  readonly timeOrigin: number
  /** What a server hands out once the address is proven. */
  readonly newAddressToken: (() => Uint8Array | undefined) | undefined
  /** Client: the handshake from its beginning, with the version that is current. */
  beginTls: ((now: number) => TlsSession) | undefined
  /** The id our long headers carry. */
  readonly localId: Uint8Array

  readonly events: EventQueue
  keyring: Keyring
  /** Indexed by Space. */
  spaces: PacketSpaces
  handshake: HandshakeState
  readonly recovery: Recovery
  readonly streams: StreamSet
  readonly path: Path
  readonly probes: Probes
  readonly departure: Departure
  /** Client: goes to the preferred address of a server. */
  readonly followsPreferredAddress: boolean
  readonly localIds: LocalIds
  readonly peerIds: PeerIds
  readonly idle: Idle
  readonly silence: Silence
  /** Another one for each path. */
  mtu: MtuDiscovery
  readonly close: Close
  readonly datagrams: Datagrams
  readonly handshakeDone: HandshakeDone
  readonly newToken: NewToken
  readonly ackRequests: AckRequests
  readonly firstByte: FirstByteBits
  readonly parked: Parked
  readonly stats: Stats
  readonly memory: MemoryAccount
  /** Of that, what is held outside of streams. */
  handshakeMemory: number

  /** Address validation token for our Initial packets (client); replaced by a Retry. */
  token: Uint8Array
}
