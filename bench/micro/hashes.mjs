// Hashes, HMAC, labels and the key schedule, by every backend.

import { deepEqual } from 'node:assert/strict'
import { nodeBackend, wasmBackend } from 'zerotrip'
import { nobleBackend } from 'zerotrip/crypto/noble'
import { hkdfExpandLabel, noContext } from '../../dist/crypto/hkdf.js'
import { initialSecrets } from '../../dist/crypto/initial-keys.js'
import { EarlyStage } from '../../dist/tls13/key-schedule.js'

const given = nodeBackend.random(32)
const other = nodeBackend.random(32)

/** The same of any backend gives the same bytes. */
const works = {
  'SHA-256 of 64 bytes': backend => backend.hash('sha256', sixtyFour),
  'SHA-256 of 1,200 bytes': backend => backend.hash('sha256', large),
  'HMAC-SHA-256, another key each time': backend => {
    turn ^= 1
    return backend.hmac('sha256', turn === 0 ? given : other, sixtyFour).length
  },
  'HKDF-Expand-Label, the same secret': backend => hkdfExpandLabel(backend, 'sha256', given, 'quic key', noContext, 32),
  'key, iv and hp of a secret': backend => [
    hkdfExpandLabel(backend, 'sha256', given, 'quic key', noContext, 32),
    hkdfExpandLabel(backend, 'sha256', given, 'quic iv', noContext, 12),
    hkdfExpandLabel(backend, 'sha256', given, 'quic hp', noContext, 32),
  ],
  'Initial secrets': backend => initialSecrets(backend, 1, given.subarray(0, 8)),
  'transcript of a resumption, five digests': transcript,
  'key schedule of a resumption': schedule,
}

export function subjects() {
  return Object.entries(works).flatMap(([name, work]) =>
    [nodeBackend, wasmBackend, nobleBackend].map(backend => ({
      name: `${name} ${backend.name}`,
      run: () => work(backend),
      check: () => deepEqual(work(backend), work(nodeBackend)),
    })),
  )
}

function transcript(backend) {
  const hasher = backend.hasher('sha256')
  const digests = []
  for (const length of [420, 122, 98, 36, 36]) {
    hasher.update(large.subarray(0, length))
    digests.push(hasher.digest())
  }
  return digests
}

function schedule(backend) {
  const early = new EarlyStage(backend, 'sha256', given)
  const handshake = early.handshake(other, given)
  const application = handshake.application(other)
  return [
    early.binder('resumption', other),
    early.earlyTraffic(other),
    handshake.serverFinished(other),
    handshake.clientFinished(other),
    application.clientSecret,
    application.serverSecret,
    application.resumption(given).secret,
  ]
}

const sixtyFour = nodeBackend.random(64)
const large = nodeBackend.random(1200)
let turn = 0
