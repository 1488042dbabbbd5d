// What is sent to be ignored: reserved transport parameters and versions (RFC 9000 §6.3, §18.1).

import { expect, test } from 'vitest'
import { Reader } from '../../src/bytes/reader.ts'
import { reservedParameter } from '../../src/connection/grease.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { readTransportParameters } from '../../src/packet/transport-parameters.ts'
import { isReservedVersion, QUIC_V1, QUIC_V2, withReservedVersion } from '../../src/packet/version.ts'
import type { VersionInformation } from '../../src/packet/version-information.ts'
import { peerOf } from '../conformance/hand-made-peer.ts'

test('RFC 9000 §18.1: ids of 31 * N + 27, with values of any length', () => {
  const lengths = new Set<number>()
  const ids = new Set<number>()
  for (let i = 0; i < 500; i++) {
    const { id, value } = reservedParameter(nodeBackend)
    expect((id - 27) % 31).toBe(0)
    ids.add(id)
    lengths.add(value.length)
  }
  expect(ids.size).toBeGreaterThan(400)
  expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([0, 16])
})

test('RFC 9000 §6.3, §15: one reserved version, anywhere among those that are spoken', () => {
  const places = new Set<number>()
  for (let i = 0; i < 200; i++) {
    const mixed = withReservedVersion([QUIC_V2, QUIC_V1], nodeBackend.random(5))
    expect(mixed.filter(version => !isReservedVersion(version))).toEqual([QUIC_V2, QUIC_V1])
    expect(mixed.length).toBe(3)
    places.add(mixed.findIndex(isReservedVersion))
  }
  expect([...places].sort()).toEqual([0, 1, 2])
})

test.each(['client', 'server'] as const)('RFC 9000 §18.1, RFC 9368 §3: what a %s declares', role => {
  const peer = peerOf(role, { parameters: { versionInformation } }).reach('confirmed')
  peer.expectOpen()
  const reserved = idsOf(peer.declared).filter(id => id % 31 === 27)
  expect(reserved.length).toBe(1)
  const { available, chosen } = readTransportParameters(peer.declared, role).versionInformation as VersionInformation
  expect(chosen).toBe(QUIC_V1)
  expect(available.filter(isReservedVersion).length).toBe(1)
  expect(available).toContain(QUIC_V1)
})

const versionInformation: VersionInformation = { chosen: QUIC_V1, available: [QUIC_V1] }

function idsOf(parameters: Uint8Array): number[] {
  const reader = new Reader(parameters)
  const ids: number[] = []
  while (!reader.isDone) {
    ids.push(reader.varint())
    reader.skip(reader.varint())
  }
  return ids
}
