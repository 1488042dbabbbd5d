// What `npm run --silent demo -- --json` must show, wherever it runs: node scripts/check-demo.mjs FILE

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const { variants, replays } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const roundTrips = {
  tcp: 1,
  'tls13-full': 2,
  'tls13-resumed': 2,
  'quic-1rtt': 1,
  'quic-0rtt-ticket': 0,
  'quic-0rtt-provisioned': 0,
}
assert.deepEqual(Object.keys(variants).sort(), Object.keys(roundTrips).sort())
for (const [name, expected] of Object.entries(roundTrips)) {
  const variant = variants[name]
  assert.equal(variant.roundTrips, expected, `${name}: round trips before the request`)
  assert.ok(variant.samples >= 50, `${name}: ${variant.samples} samples`)
  assert.ok(variant.p50ms > 0 && variant.p90ms >= variant.p50ms, `${name}: p50 and p90`)
  const early = name.startsWith('quic-0rtt') ? variant.samples : 0
  assert.ok(Math.abs(variant.earlyAccepted - early) <= early * 0.01, `${name}: ${variant.earlyAccepted} early accepted`)
}
assert.ok(replays.sent > 0, 'nothing was replayed')
assert.equal(replays.executed, 0, 'a replay was executed')
console.log('the demo shows what it should')
