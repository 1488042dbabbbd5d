import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { connect } from '../../src/http3/index.ts'
import { eventually, Tap } from '../endpoint/helpers.ts'
import { begin, directory, server, zerotrip } from './program.ts'

const vector = (name: string): string => new URL(`../vectors/x509/${name}`, import.meta.url).pathname

/** A root with a small file and one of `size` bytes that differ. */
function root(size = 0): { root: string; big: Buffer } {
  const path = directory()
  const big = Buffer.alloc(size)
  for (let i = 0; i < size; i += 4) big.writeUInt32LE((i * 2654435761) >>> 0, i)
  writeFileSync(join(path, 'index.html'), '<p>hello')
  writeFileSync(join(path, 'big.bin'), big)
  return { root: path, big }
}

/** A way to a server that carries the first half MiB of its answers, and the rest once it is opened. */
async function halfway(port: number): Promise<{ origin: string; open: () => void }> {
  const tap = await Tap.before({ host: '127.0.0.1', port })
  let left = 512 * 1024
  tap.passes = (datagram, direction) => {
    if (direction === 'toClient') left -= datagram.length
    return direction === 'toServer' || left > 0
  }
  const open = (): void => {
    tap.passes = () => true
  }
  return { origin: `https://127.0.0.1:${tap.address.port}`, open }
}

/** `big.bin` is on its way there. */
async function isBegun(out: string): Promise<boolean> {
  return eventually(() => existsSync(join(out, '.big.bin.part')))
}

describe.each(['h3', 'hq-interop'])('%s', alpn => {
  test('10 MiB and a small file arrive whole, side by side', async () => {
    const { root: path, big } = root(10 * 1024 * 1024)
    const { origin, pin } = await server(path)
    const out = join(directory(), 'made', 'for', 'it')
    const urls = [`${origin}/big.bin`, `${origin}/`]
    const { code, stdout, stderr } = await zerotrip('get', ...urls, '--alpn', alpn, '--pin', pin, '-o', out)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(readFileSync(join(out, 'big.bin')).equals(big)).toBe(true)
    expect(readFileSync(join(out, 'index.html'), 'utf8')).toBe('<p>hello')
    expect(readdirSync(out).sort()).toEqual(['big.bin', 'index.html'])
    expect(stdout.toString()).toContain(`/big.bin  10.0 MiB in `)
  })

  test('a second visit resumes and is early, a third, too', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path, '--early')
    const session = join(directory(), 'session')
    const seen = []
    for (let i = 0; i < 3; i++) {
      const flags = ['--alpn', alpn, '--pin', pin, '--session', session, '--early', '--json']
      const { code, stdout, stderr } = await zerotrip('get', `${origin}/index.html`, ...flags)
      expect(code, stderr).toBe(0)
      expect(stdout.toString()).toBe('<p>hello')
      const report = JSON.parse(stderr)
      expect(report).toMatchObject({ ok: true, exitCode: 0, errors: [], requests: [{ bytes: 8 }] })
      seen.push(report.connections[0].earlyData)
      expect(statSync(session).mode & 0o777).toBe(0o600)
    }
    expect(seen).toEqual(['none', 'accepted', 'accepted'])
  })

  test('without --early the server refuses, and the answer comes all the same', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path)
    const flags = ['--alpn', alpn, '--pin', pin, '--session', join(directory(), 'session'), '--early']
    await zerotrip('get', `${origin}/`, ...flags)
    const { code, stdout, stderr } = await zerotrip('get', `${origin}/`, ...flags)
    expect(code).toBe(0)
    expect(stdout.toString()).toBe('<p>hello')
    expect(stderr).toMatch(/handshake [\d.]+ ms, resumed/)
    expect(stderr).not.toContain('accepted')
  })

  test('what is not there is an error, and no file', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path)
    const out = directory()
    const urls = [`${origin}/nothing`, `${origin}/index.html`]
    const { code, stderr } = await zerotrip('get', ...urls, '--alpn', alpn, '--pin', pin, '-o', out)
    expect(code).toBe(1)
    expect(stderr).toContain(alpn === 'h3' ? '/nothing: status 404' : '/nothing: no such file')
    expect(readdirSync(out)).toEqual(['index.html'])
  })

  test('a file that shrinks while it is sent is incomplete, and not kept', async () => {
    const { root: path } = root(32 * 1024 * 1024)
    const { port, pin } = await server(path)
    const way = await halfway(port)
    const out = directory()
    const get = begin('get', `${way.origin}/big.bin`, '--alpn', alpn, '--pin', pin, '-o', out)
    expect(await isBegun(out)).toBe(true)
    truncateSync(join(path, 'big.bin'), 0)
    way.open()
    const { code, stderr } = await get.result
    expect(code).toBe(1)
    expect(stderr).toContain('/big.bin: ')
    expect(readdirSync(out)).toEqual([])
  })

  test('an end that is asked for while an answer is under way comes after it', async () => {
    const { root: path, big } = root(2 * 1024 * 1024)
    const running = await server(path)
    const way = await halfway(running.port)
    const out = directory()
    const get = begin('get', `${way.origin}/big.bin`, '--alpn', alpn, '--pin', running.pin, '-o', out)
    expect(await isBegun(out)).toBe(true)
    running.stop()
    way.open()
    expect((await running.result).code).toBe(0)
    const { code, stderr } = await get.result
    expect(code, stderr).toBe(0)
    expect(readFileSync(join(out, 'big.bin')).equals(big)).toBe(true)
  })
})

describe('serve', () => {
  test('answers HEAD, and says what a file is', async () => {
    const { root: path } = root(70_000)
    const { origin, pin } = await server(path)
    await using session = connect(origin, { pins: [Buffer.from(pin, 'hex')] })
    const response = await session.fetch('/big.bin', { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe('70000')
    expect(response.headers.get('date')).not.toBeNull()
    expect(await response.text()).toBe('')
    expect((await session.fetch('/', { method: 'POST', body: 'x' })).status).toBe(405)
  })

  test('RFC 9000 §8.1.2: --retry costs a round trip, once; the token in the session file saves it', async () => {
    const { root: path } = root()
    const { port, pin } = await server(path, '--retry')
    const tap = await Tap.before({ host: '127.0.0.1', port })
    const session = join(directory(), 'session')
    const retries = []
    for (let i = 0; i < 2; i++) {
      const url = `https://127.0.0.1:${tap.address.port}/`
      const { code, stderr } = await zerotrip('get', url, '--pin', pin, '--session', session)
      expect(code, stderr).toBe(0)
      // A Retry has no length, and nothing behind it: RFC 9000 §17.2.5.
      retries.push(tap.toClient.splice(0).filter(([first = 0]) => (first & 0xb0) === 0xb0).length)
    }
    expect(retries[0]).toBeGreaterThan(0)
    expect(retries[1]).toBe(0)
  })

  test('its protocols are those of --alpn alone', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path, '--alpn', 'hq-interop')
    const { code, stderr } = await zerotrip('get', `${origin}/`, '--pin', pin)
    expect(code).toBe(3)
    expect(stderr).toContain('try another --alpn')
    expect((await zerotrip('get', `${origin}/`, '--pin', pin, '--alpn', 'hq-interop')).stdout.toString()).toBe(
      '<p>hello',
    )
  })

  test('a certificate from files, cipher suites, qlog', async () => {
    const { root: path } = root()
    const files = ['--cert', vector('leaf-p256.pem'), '--key', vector('leaf-p256.key')]
    const qlog = join(directory(), 'qlog')
    const chacha = ['--cipher-suites', 'TLS_CHACHA20_POLY1305_SHA256', '--qlog', qlog]
    const running = begin('serve', ...files, '--port', '0', '--host', '127.0.0.1', '--root', path, ...chacha)
    const [line, port] = await running.printed(/^serving .* on https:\/\/127\.0\.0\.1:(\d+)\/ \(h3, hq-interop\)\n$/)
    expect(line.split('\n').length).toBe(2)
    const url = `https://127.0.0.1:${port}/`
    const good = await zerotrip('get', url, '--ca', vector('ca.pem'), '--qlog', qlog)
    expect(good.stderr).toContain('TLS_CHACHA20_POLY1305_SHA256')
    // Of both sides, and of the endpoint that listens.
    expect(readdirSync(qlog).length).toBe(3)
    // No other authority will do.
    const bad = await zerotrip('get', url)
    expect(bad.code).toBe(3)
    expect(bad.stderr).toMatch(/^zerotrip: handshake with .* unknown authority; name that one with --ca FILE.*\n$/)
  })

  test('what is wrong on this machine ends with 4 and one line', async () => {
    const { root: path } = root()
    const { port } = await server(path)
    const own = ['serve', '--self-signed', '--host', '127.0.0.1', '--port', '0']
    const pem = vector('leaf-p256.pem')
    const cases: [string[], RegExp][] = [
      [[...own.slice(0, -1), String(port)], new RegExp(`UDP port ${port} is in use: .* --port`)],
      [['serve', '--self-signed', '--host', '203.0.113.1'], /203\.0\.113\.1 is no address of this machine/],
      [[...own, '--root', join(path, 'nothing')], /cannot serve --root .*nothing: no such file or directory/],
      [[...own, '--root', join(path, 'index.html')], /cannot serve --root .*index.html: not a directory/],
      [[...own, '--qlog', join(path, 'index.html', 'x')], /cannot log to --qlog .*: not a directory/],
      [['serve', '--cert', 'nothing', '--key', pem], /cannot read --cert nothing: no such file/],
      [['serve', '--cert', pem, '--key', pem], /--cert .*: .*key/],
      [['serve', '--cert', pem, '--key', vector('leaf-ed25519.key')], /--cert .*: the private key does not belong/],
    ]
    const results = await Promise.all(cases.map(([argv]) => zerotrip(...argv)))
    for (const [i, { code, stdout, stderr }] of results.entries()) {
      expect(stderr).toMatch(cases[i]?.[1] as RegExp)
      expect(stderr.trimEnd().split('\n').length).toBe(1)
      expect(stdout.toString()).toBe('')
      expect(code).toBe(4)
    }
  })
})

describe('get', () => {
  test('several URLs to standard output come in order', async () => {
    const { root: path } = root()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(path, name), name.repeat(100_000))
    const { origin, pin } = await server(path)
    const { stdout } = await zerotrip('get', `${origin}/c`, `${origin}/a`, `${origin}/b`, '--pin', pin)
    expect(stdout.toString()).toBe('c'.repeat(100_000) + 'a'.repeat(100_000) + 'b'.repeat(100_000))
  })

  test('300 files, more than streams at a time', async () => {
    const { root: path } = root()
    const names = Array.from({ length: 300 }, (_, i) => `file${i}`)
    for (const name of names) writeFileSync(join(path, name), name)
    const { origin, pin } = await server(path)
    const out = directory()
    const { code, stdout } = await zerotrip(
      'get',
      ...names.map(name => `${origin}/${name}`),
      ...['-o', out, '--pin', pin, '--json'],
    )
    expect(code).toBe(0)
    const report = JSON.parse(stdout.toString())
    expect(report.connections.length).toBe(1)
    expect(report.requests.map((request: { file: string }) => request.file)).toEqual(names.map(name => join(out, name)))
    for (const name of names) expect(readFileSync(join(out, name), 'utf8')).toBe(name)
  })

  test('two origins at a time; the failure of one is not the other one', async () => {
    const { root: path } = root()
    const [one, other] = [await server(path), await server(path)]
    const urls = [`${one.origin}/big.bin`, `${other.origin}/index.html`]
    const out = directory()
    const { code, stderr, stdout } = await zerotrip('get', ...urls, '--pin', one.pin, '-o', out)
    expect(code).toBe(3)
    expect(stderr).toMatch(new RegExp(`^zerotrip: handshake with ${other.origin} failed: .*pin.*\n$`))
    expect(stdout.toString()).toContain(urls[0])
    expect(readdirSync(out)).toEqual(['big.bin'])
  })

  test('a server that is silent: --timeout', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const url = `https://127.0.0.1:${silent.address().port}/`
    const { code, stderr } = await zerotrip('get', url, '--insecure', '--timeout', '0.3')
    silent.close()
    expect(code).toBe(3)
    expect(stderr).toMatch(/^zerotrip: .*(no answer|not done within)/)
  })

  test('an interruption leaves no file and ends with 130', async () => {
    const { root: path } = root(2 * 1024 * 1024)
    const { port, pin } = await server(path)
    const { origin } = await halfway(port)
    const out = directory()
    const get = begin('get', `${origin}/big.bin`, '--pin', pin, '-o', out)
    expect(await isBegun(out)).toBe(true)
    get.stop()
    const { code, stderr } = await get.result
    expect(stderr).toBe('zerotrip: interrupted\n')
    expect(code).toBe(130)
    expect(readdirSync(out)).toEqual([])
  })

  test('--json says what went wrong, too, and nothing else is printed', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path)
    const { code, stdout, stderr } = await zerotrip('get', `${origin}/x`, '--pin', pin, '--json', '-o', directory())
    expect(code).toBe(1)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: false,
      exitCode: 1,
      errors: [`${origin}/x: status 404`],
      requests: [{ status: 404, error: `${origin}/x: status 404` }],
    })
  })

  test('what is wrong on this machine ends with 4 and one line', async () => {
    const { root: path } = root()
    const { origin, pin } = await server(path)
    const file = join(path, 'index.html')
    const bad = join(path, 'bad.pem')
    writeFileSync(bad, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    mkdirSync(join(path, 'taken', 'index.html', 'full'), { recursive: true })
    const cases: [string[], RegExp][] = [
      [['--ca', join(path, 'nothing')], /cannot read --ca .*nothing: no such file/],
      [['--ca', file], /--ca .* holds no PEM certificate/],
      [['--ca', bad], /--ca .*bad.pem: /],
      [['--session', file], /--session .* is no session file/],
      [['--pin', pin, '--session', join(path, 'no', 'such')], /cannot write --session .*: no such file or directory/],
      [['-o', file], /cannot make --output .*: a file of that name is in the way/],
      [['--pin', pin, '-o', join(path, 'taken')], /cannot write .*index.html: /],
      [['--pin', pin, '--qlog', join(file, 'x')], /cannot log to --qlog .*: not a directory/],
    ]
    const results = await Promise.all(cases.map(([argv]) => zerotrip('get', `${origin}/`, ...argv)))
    for (const [i, { code, stderr }] of results.entries()) {
      expect(stderr).toMatch(cases[i]?.[1] as RegExp)
      expect(code, stderr).toBe(4)
    }
  })

  test('names from URLs never leave the directory, and never meet', async () => {
    const { root: path } = root()
    writeFileSync(join(path, 'a..b'), 'x')
    const { origin, pin } = await server(path)
    const out = directory()
    const urls = [`${origin}/%2e%2e%2fa`, `${origin}/a..b?x=/../../y`]
    await zerotrip('get', ...urls, '--pin', pin, '-o', out)
    expect(readdirSync(out)).toEqual(['a..b'])
    const { code, stderr } = await zerotrip('get', `${origin}/x/a`, `${origin}/y/a`, '--pin', pin, '-o', out)
    expect(code).toBe(2)
    expect(stderr).toContain('would both be saved as a')
  })
})

describe('the program', () => {
  test('knows its version, helps, and says what it does not understand', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect((await zerotrip('--version')).stdout.toString()).toBe(`${version}\n`)
    const all = (lines: readonly string[][]) => Promise.all(lines.map(argv => zerotrip(...argv)))
    const helps = [['--help'], ['-h'], ['help'], ['help', 'get'], ['get', '--help'], ['serve', '-h']]
    for (const { code, stdout } of await all(helps)) {
      expect(code).toBe(0)
      expect(stdout.toString()).toContain('exit codes:')
    }
    for (const { code, stdout, stderr } of await all([[], ['frob'], ['help', 'frob'], ['get'], ['serve', '--frob']])) {
      expect(code).toBe(2)
      expect(stdout.toString()).toBe('')
      expect(stderr).toMatch(/^zerotrip: [^\n]*see zerotrip --help\n$/)
    }
  })
})
