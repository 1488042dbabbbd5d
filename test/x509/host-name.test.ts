import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/bytes/hex.ts'
import { matchesHost, parseIpAddress } from '../../src/x509/host-name.ts'

const matches = (pattern: string, host: string) => matchesHost({ dnsNames: [pattern], ipAddresses: [] }, host)

describe('RFC 9525 §6.3: DNS names', () => {
  test.each([
    ['example.com', 'example.com'],
    ['example.com', 'EXAMPLE.com'],
    ['Example.COM', 'example.com'],
    ['example.com', 'example.com.'],
    ['localhost', 'localhost'],
    ['*.example.com', 'a.example.com'],
    ['*.example.com', 'xn--bcher-kva.example.com'],
    ['*.Example.com', 'A.eXAMPLE.com.'],
    ['a_b.example.com', 'a_b.example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['1.0x.example', '1.0x.example'],
  ])('%s is for %s', (pattern, host) => expect(matches(pattern, host)).toBe(true))

  test.each([
    ['example.com', 'www.example.com'],
    ['www.example.com', 'example.com'],
    ['example.com', 'example.com..'],
    ['example.com.', 'example.com'],
    ['*.example.com', 'example.com'],
    ['*.example.com', '.example.com'],
    ['*.example.com', 'a.b.example.com'],
    ['*.com', 'example.com'],
    ['*', 'localhost'],
    ['*.', 'localhost.'],
    ['a*.example.com', 'ab.example.com'],
    ['*a.example.com', 'ba.example.com'],
    ['a.*.com', 'a.example.com'],
    ['*.*.com', 'a.example.com'],
    ['*.example.com', '*.example.com'],
    ['example.com\0.evil.com', 'example.com'],
    ['example.com', 'example.com\0'],
    ['kk.example', 'k\u212A.example'],
    ['example.com', ''],
    ['127.1', '127.1'],
    ['2130706433', '2130706433'],
    ['0x7F000001', '0x7f000001'],
    ['127.0.0.0x1', '127.0.0.0x1'],
    ['*.0.2.1', '192.0.2.1'],
    ['', ''],
    ['example.com', '-example.com'],
    ['a-.example.com', 'a-.example.com'],
    [`${'a'.repeat(64)}.com`, `${'a'.repeat(64)}.com`],
    [`${'a.'.repeat(127)}com`, `${'a.'.repeat(127)}com`],
  ])('%s is not for %s', (pattern, host) => expect(matches(pattern, host)).toBe(false))
})

describe('RFC 9525 §6.4: IP addresses', () => {
  const names = {
    dnsNames: ['192.0.2.1', '*.0.2.1'],
    ipAddresses: [Uint8Array.of(127, 0, 0, 1), parseIpAddress('2001:db8::1') as Uint8Array],
  }

  test.each(['127.0.0.1', '2001:db8::1', '2001:DB8:0:0::1', '[2001:db8::1]', '2001:db8::0.0.0.1'])('is for %s', host =>
    expect(matchesHost(names, host)).toBe(true),
  )

  test.each([
    '192.0.2.1',
    '127.0.0.2',
    '127.0.0.1.',
    '127.1',
    '::1',
    '::ffff:127.0.0.1',
    '[127.0.0.1]',
    '2001:db8::1%1',
  ])('is not for %s', host => expect(matchesHost(names, host)).toBe(false))
})

describe('IP literals', () => {
  test.each([
    ['1.2.3.4', '01020304'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
  ])('%s', (text, hex) => expect(toHex(parseIpAddress(text) as Uint8Array)).toBe(hex))

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.0x4',
    ':',
    ':::',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    '[]',
    '[',
    ' ::1',
  ])('not one: "%s"', text => {
    expect(isIP(text)).toBe(0)
    expect(parseIpAddress(text)).toBeUndefined()
  })
})
