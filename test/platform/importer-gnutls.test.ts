// The importer (RFC 9258) with another stack: GnuTLS is the server, and both come to the same secrets. On a machine without
// a GnuTLS that knows it nothing of this runs, and the only test says so; .ci/run unpacks one (interop/importer).

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { nodeBackend } from '../../src/crypto/backend-node.ts'
import { TLS_AES_128_GCM_SHA256 } from '../../src/crypto/cipher-suite.ts'
import type { Level } from '../../src/packet/level.ts'
import { noCertificate } from '../../src/tls13/certificate-policy.ts'
import type { PskKind } from '../../src/tls13/ports.ts'
import { startClient } from '../../src/tls13/session.ts'
import { importPsk } from '../../src/zero-rtt/psk-importer.ts'
import { bytesOf } from '../zero-rtt/support.ts'

const libraries = fileURLToPath(new URL('../../.cache/gnutls/root/usr/lib/x86_64-linux-gnu', import.meta.url))
const server = fileURLToPath(new URL('../../interop/importer/gnutls-server.py', import.meta.url))

interface Said {
  readonly level?: Level
  readonly data?: string
  readonly secret?: Level
  readonly read?: string | null
  readonly write?: string | null
  readonly identity?: string
  readonly done?: true
  readonly error?: string
}

/** A handshake with GnuTLS, which has the same external PSK. Resolves when GnuTLS says that it is over. */
async function handshake(kind: PskKind, changes: { context?: string } = {}) {
  const epsk = nodeBackend.random(32)
  const context = bytesOf('checkout>payment')
  const { identity, secret } = importPsk(nodeBackend, {
    externalIdentity: bytesOf('gateway'),
    epsk,
    context,
    hash: 'sha256',
  })
  const offered = changes.context
    ? importPsk(nodeBackend, {
        externalIdentity: bytesOf('gateway'),
        epsk,
        context: bytesOf(changes.context),
        hash: 'sha256',
      }).identity
    : identity
  const loader = `${libraries}/ld-linux-x86-64.so.2`
  const child = spawn(loader, ['--library-path', libraries, '/usr/bin/python3', server, toHex(epsk)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill())
  const tls = startClient(
    {
      backend: nodeBackend,
      serverName: 'localhost',
      alpn: ['h3'],
      transportParameters: Uint8Array.of(1, 2, 3),
      verifier: noCertificate,
      psk: { kind, identity: offered, secret, hash: 'sha256', obfuscatedAge: 0, earlyData: undefined },
      cipherSuites: [TLS_AES_128_GCM_SHA256],
    },
    Date.now(),
  )
  const ours: string[] = []
  const theirs: string[] = []
  const flush = (): void => {
    for (let output = tls.poll(); output !== undefined; output = tls.poll()) {
      if (output.type === 'send') {
        child.stdin.write(`${JSON.stringify({ level: output.level, data: toHex(output.bytes) })}\n`)
      } else if (output.type === 'secret') {
        // What one reads the other writes.
        ours.push(`${output.level} ${output.direction === 'read' ? 'write' : 'read'} ${toHex(output.secret)}`)
      }
    }
  }
  flush()
  let seen = ''
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Said
    if (said.identity !== undefined) seen = said.identity
    if (said.read) theirs.push(`${said.secret} read ${said.read}`)
    if (said.write) theirs.push(`${said.secret} write ${said.write}`)
    if (said.data !== undefined) tls.receive(said.level as Level, fromHex(said.data), Date.now())
    flush()
    if (said.done !== undefined || said.error !== undefined) {
      return { error: said.error, isComplete: tls.isComplete, ours: ours.sort(), theirs: theirs.sort(), identity, seen }
    }
  }
  throw new Error('GnuTLS ended without a word')
}

if (!existsSync(`${libraries}/libgnutls.so.30`)) {
  test('there is no GnuTLS here that knows RFC 9258: the importer is tested with it by .ci/run', () => {
    console.warn('GnuTLS from 3.8.1 on is not in .cache/gnutls: the importer was not tested with it')
  })
} else {
  test('GnuTLS imports the same PSK: binder and all secrets agree', async () => {
    const { error, isComplete, ours, theirs, identity, seen } = await handshake('imported')
    expect(error).toBeUndefined()
    expect(isComplete).toBe(true)
    expect(seen).toBe(toHex(identity))
    expect(ours.length).toBe(4)
    expect(theirs).toEqual(ours)
  })

  test('RFC 9258 §5.2: under the label of an external PSK the binder is wrong to it', async () => {
    expect((await handshake('external')).error).toContain('llegal parameter')
  })

  test('and so it is under another context than that of the key', async () => {
    expect((await handshake('imported', { context: 'payment>checkout' })).error).toContain('llegal parameter')
  })
}
