import { describe, expect, test } from 'vitest'
import { getArguments, serveArguments } from '../../src/cli/args.ts'
import { commands, helpOf, overview } from '../../src/cli/commands.ts'
import { CliError, ExitCode } from '../../src/cli/errors.ts'

const url = 'https://localhost:4433/a'
const pin = 'a'.repeat(64)

function complaint(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    expect(error).toBeInstanceOf(CliError)
    expect((error as CliError).exitCode).toBe(ExitCode.Usage)
    return (error as CliError).message
  }
  throw new Error('nothing to complain about')
}

describe('serve', () => {
  test('defaults', () => {
    expect(serveArguments(['--self-signed'])).toEqual({
      port: 4433,
      host: undefined,
      root: '.',
      certificate: undefined,
      alpn: ['h3', 'hq-interop'],
      retry: false,
      early: false,
      qlog: undefined,
      cipherSuites: undefined,
    })
  })

  test('everything', () => {
    const line = '--cert c --key k -p 1 --host ::1 --root r --alpn hq-interop,h3,h3 --retry --early --qlog q'
    const suites = ['--cipher-suites', 'tls_aes_256_gcm_sha384,TLS_AES_128_GCM_SHA256']
    expect(serveArguments([...line.split(' '), ...suites])).toEqual({
      port: 1,
      host: '::1',
      root: 'r',
      certificate: { cert: 'c', key: 'k' },
      alpn: ['hq-interop', 'h3'],
      retry: true,
      early: true,
      qlog: 'q',
      cipherSuites: ['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256'],
    })
  })

  test.each([
    ['', 'serve needs --cert FILE and --key FILE'],
    ['--cert c', 'serve needs --cert FILE and --key FILE'],
    ['--self-signed --cert c', '--self-signed goes without'],
    ['--self-signed --port x', "--port is a number from 0 to 65535, not 'x'"],
    ['--self-signed --port 65536', '--port is a number'],
    ['--self-signed --host localhost', '--host is an IP address'],
    ['--self-signed --alpn h2', "unknown protocol 'h2'"],
    ['--self-signed --cipher-suites RC4', "unknown cipher suite 'RC4'"],
    ['--self-signed dir', "serve takes no 'dir'"],
    ['--self-signed --frob', "serve: Unknown option '--frob'"],
    ['--port', "serve: Option '-p, --port <value>' argument missing"],
  ])('serve %s', (line, message) => {
    expect(complaint(() => serveArguments(line.split(' ').filter(Boolean)))).toContain(message)
  })
})

describe('get', () => {
  test('defaults', () => {
    expect(getArguments([url])).toEqual({
      urls: [new URL(url)],
      output: undefined,
      trust: { kind: 'system' },
      session: undefined,
      early: false,
      alpn: 'h3',
      timeout: undefined,
      json: false,
      qlog: undefined,
      cipherSuites: undefined,
    })
  })

  test('everything', () => {
    const line = `${url} -o d --ca f --session s --early --alpn hq-interop --timeout 1.5 --json --qlog q ${url}b`
    expect(getArguments(line.split(' '))).toMatchObject({
      urls: [new URL(url), new URL(`${url}b`)],
      output: 'd',
      trust: { kind: 'ca', file: 'f' },
      session: 's',
      early: true,
      alpn: 'hq-interop',
      timeout: 1500,
      json: true,
      qlog: 'q',
    })
  })

  test('a pin is hex, with colons too, or base64', () => {
    const bytes = new Uint8Array(32).fill(0xaa)
    const base64 = Buffer.from(bytes).toString('base64')
    for (const text of [pin, pin.toUpperCase(), 'aa:'.repeat(31).concat('aa'), base64, base64.slice(0, 43)]) {
      expect(getArguments([url, '--pin', text])?.trust).toEqual({ kind: 'pin', pin: bytes })
    }
    expect(getArguments([url, '--insecure'])?.trust).toEqual({ kind: 'anybody' })
  })

  test.each([
    ['', 'get needs a URL'],
    ['localhost', "'localhost' is not a URL"],
    ['http://localhost/', "'http://localhost/' is not an https: URL"],
    [`${url} --early`, '--early needs --session FILE'],
    [`${url} --insecure --ca f`, 'exclude each other'],
    [`${url} --pin abc`, '--pin is the SHA-256'],
    [`${url} --timeout 0`, '--timeout is a number of seconds'],
    [`${url} --timeout soon`, '--timeout is a number of seconds'],
    [`${url} --alpn h3,hq-interop`, 'unknown protocol'],
    [`${url} --json=yes`, "get: Option '--json' does not take an argument"],
  ])('get %s', (line, message) => {
    expect(complaint(() => getArguments(line.split(' ').filter(Boolean)))).toContain(message)
  })
})

describe('help', () => {
  test('every flag is in the help of its command, every command in the overview', () => {
    for (const command of commands) {
      expect(overview()).toContain(command.usage)
      const text = helpOf(command)
      for (const flag of command.flags) expect(text).toContain(`--${flag.name}`)
    }
  })

  test('asking for help beats everything', () => {
    expect(serveArguments(['--port', 'x', '-h'])).toBeUndefined()
    expect(getArguments(['--help'])).toBeUndefined()
  })

  test('every exit code is documented', () => {
    for (const code of Object.values(ExitCode)) expect(overview()).toMatch(new RegExp(`^ {2}${code} `, 'm'))
  })
})
