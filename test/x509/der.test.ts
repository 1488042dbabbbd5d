import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/hex.ts'
import { CertificateError } from '../../src/x509/certificate-error.ts'
import { contextTag, DerReader, MAX_DER_DEPTH, MAX_OID_LENGTH, Tag } from '../../src/x509/der.ts'
import { element, integerContents, oidContents } from '../../src/x509/der-writer.ts'

const reader = (hex: string) => new DerReader(fromHex(hex))

function expectMalformed(work: () => unknown): void {
  expect(work).toThrow(CertificateError)
  expect(work).toThrow(/^malformed certificate \(/)
}

describe('lengths, X.690 §10.1', () => {
  test('short and long forms', () => {
    expect(reader('04 01 aa').value(Tag.OctetString)).toEqual(fromHex('aa'))
    expect(reader(`04 81 80 ${'00'.repeat(0x80)}`).any()).toHaveLength(0x80)
    expect(reader(`04 82 01 00 ${'00'.repeat(0x100)}`).any()).toHaveLength(0x100)
    expect(new DerReader(element(Tag.OctetString, new Uint8Array(0x10000))).any()).toHaveLength(0x10000)
    expect(reader(`04 83 01 00 00 ${'00'.repeat(0x10000)}`).any()).toHaveLength(0x10000)
  })

  test.each([
    ['indefinite', '30 80 00 00'],
    ['one byte where the short form does', `04 81 7f ${'00'.repeat(0x7f)}`],
    ['two bytes where one does', `04 82 00 ff ${'00'.repeat(0xff)}`],
    ['three bytes where two do', `04 83 00 ff ff ${'00'.repeat(0xffff)}`],
    ['four bytes', '04 84 00 00 00 01 00'],
    ['reserved', '04 ff 00'],
    ['more than there is', '04 02 00'],
    ['cut in the length', '04 82 01'],
    ['nothing after the tag', '04'],
    ['a tag of many bytes', '1f 81 00 00'],
  ])('refused: %s', (_, hex) => expectMalformed(() => reader(hex).any()))
})

test('the wrong element or none', () => {
  expectMalformed(() => reader('05 00').value(Tag.Sequence))
  expectMalformed(() => reader('').value(Tag.Sequence))
  expectMalformed(() => reader('05 00').finish())
  expect(reader('').has(Tag.Null)).toBe(false)
  expect(reader('05 00').enterIf(Tag.Sequence)).toBeUndefined()
})

test('elements keep their header', () => {
  const inner = reader('30 05 a0 03 02 01 07').enter(Tag.Sequence)
  expect(toHex(inner.element(contextTag(0, true)))).toBe('a003020107')
  expect(inner.isDone).toBe(true)
})

test('depth is bounded', () => {
  let der = element(Tag.Null)
  for (let i = 0; i < 1000; i++) der = element(Tag.Sequence, der)
  const descend = () => {
    let depth = 0
    for (let level = new DerReader(der); ; depth++) {
      expect(depth).toBeLessThanOrEqual(MAX_DER_DEPTH)
      level = level.enter(Tag.Sequence)
    }
  }
  expectMalformed(descend)
})

describe('integers, X.690 §8.3', () => {
  test('values', () => {
    expect(reader('02 01 00').unsigned()).toBe(0)
    expect(reader('02 02 00 80').unsigned()).toBe(128)
    expect(reader('02 04 7f ff ff ff').unsigned()).toBe(2 ** 31 - 1)
    expect(toHex(reader('02 05 00 ff ff ff ff').integer())).toBe('00ffffffff')
    expect(toHex(reader('02 01 ff').integer())).toBe('ff')
  })

  test.each(['02 00', '02 02 00 7f', '02 02 ff 80', '02 01 80', '02 05 01 00 00 00 00'])('refused: %s', hex =>
    expectMalformed(() => reader(hex).unsigned()),
  )

  test('written back', () => {
    expect(toHex(integerContents(fromHex('0000 80')))).toBe('0080')
    expect(toHex(integerContents(fromHex('00 7f')))).toBe('7f')
    expect(toHex(integerContents(fromHex('00 00')))).toBe('00')
  })
})

test('booleans are 00 or ff, X.690 §11.1', () => {
  expect(reader('01 01 ff').boolean()).toBe(true)
  expect(reader('01 01 00').boolean()).toBe(false)
  expectMalformed(() => reader('01 01 01').boolean())
  expectMalformed(() => reader('01 02 ff ff').boolean())
})

describe('object identifiers, X.690 §8.19', () => {
  test.each(['1.2.840.113549.1.1.11', '2.5.29.15', '2.16.840.1.101.3.4.2.1', '0.9.2342.19200300.100.1.25', '2.999.3'])(
    '%s',
    dotted => expect(new DerReader(element(Tag.Oid, oidContents(dotted))).oid()).toBe(dotted),
  )

  test('an arc of 128 bits is read and equals nothing known', () => {
    expect(reader(`06 14 69 83 ${'ff'.repeat(17)} 7f`).oid()).toMatch(/^2\.25\.\d\.\d+e\+\d+$/)
  })

  test.each([
    ['empty', '06 00'],
    ['cut within an arc', '06 02 55 9d'],
    ['padded arc', '06 03 55 80 1d'],
    ['too long', `06 41 ${'01'.repeat(MAX_OID_LENGTH + 1)}`],
  ])('refused: %s', (_, hex) => expectMalformed(() => reader(hex).oid()))
})

describe('bit strings, X.690 §8.6', () => {
  test('whole bytes', () => {
    expect(toHex(reader('03 03 00 12 34').bitString())).toBe('1234')
    expectMalformed(() => reader('03 02 01 12').bitString())
    expectMalformed(() => reader('03 00').bitString())
  })

  test('named bits', () => {
    expect(reader('03 02 07 80').namedBits()).toBe(1)
    expect(reader('03 02 01 06').namedBits()).toBe((1 << 5) | (1 << 6))
    expect(reader('03 03 07 00 80').namedBits()).toBe(1 << 8)
    expect(reader('03 01 00').namedBits()).toBe(0)
    expect(reader('03 05 00 00 00 ff ff').namedBits()).toBe(0)
  })

  test.each(['03 00', '03 02 08 80', '03 01 01', '03 02 03 04', '03 03 01 00 81'])('refused: %s', hex =>
    expectMalformed(() => reader(hex).namedBits()),
  )
})
