// Has the first request become slower? `npm run bench -- first-request` holds itself to 0.7 of resumed TLS; on a machine
// that does other things besides, this much more is still no reason to stop: node scripts/check-first-request.mjs FILE

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const GENEROUS = 0.85

const { ratios, earlyShare, isReached } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const ratio = ratios['tls13-resumed']
console.log(
  `0-RTT to resumed TLS: ${ratio}, ${isReached ? 'reached' : 'above 0.7'}; early data accepted: ${earlyShare}`,
)
assert.ok(ratio <= GENEROUS, `a provisioned 0-RTT request takes ${ratio} of what resumed TLS takes`)
assert.ok(earlyShare >= 0.99, `early data was accepted in ${earlyShare} of all connections`)
