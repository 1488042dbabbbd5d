// npm run test:tls: all that proves TLS and certificates, alone. With node:crypto, then with the other crypto backends,
// against the programs of OpenSSL, which must be installed, and every kept chain judged by OpenSSL too.

import { spawnSync } from 'node:child_process'

const tls = [
  ...['tls13', 'crypto', 'x509', 'zero-rtt', 'conformance/rfc9001'].map(room => `test/${room}`),
  ...['certificates', 'trust', 'key-shares-ahead', 'long-hello'].map(name => `test/endpoint/${name}.test.ts`),
  ...['handshake', 'keys', 'long-hello', 'resumption', 'retry', 'zero-rtt'].map(
    name => `test/connection/${name}.test.ts`,
  ),
  'test/security/attacks.test.ts',
]

const steps = [
  ['npx', ['vitest', 'run', ...tls]],
  ...['noble', 'wasm'].map(backend => ['npm', ['run', '--silent', 'test:crypto'], { ZEROTRIP_CRYPTO: backend }]),
  ['npm', ['run', '--silent', 'test:openssl']],
  ['npm', ['run', '--silent', 'build']],
  ['node', ['scripts/check-certificates.mjs']],
  ['node', ['scripts/rfc-coverage.mjs']],
]

for (const [command, args, variables] of steps) {
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...variables } })
  if (status === 0) continue
  const set = Object.entries(variables ?? {}).map(([name, value]) => `${name}=${value} `)
  console.error(`failed: ${set.join('')}${command} ${args.join(' ')}`)
  process.exit(1)
}
