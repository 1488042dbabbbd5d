import { describe, expect, test } from 'vitest'
import { DerReader, Tag } from '../../src/x509/der.ts'
import { asciiContents, element } from '../../src/x509/der-writer.ts'
import { readTime, timeText } from '../../src/x509/time.ts'

const read = (tag: number, text: string) => readTime(new DerReader(element(tag, asciiContents(text))))

test.each([
  '1950-01-01T00:00:00Z',
  '1969-12-31T23:59:59Z',
  '1970-01-01T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '2000-02-29T12:00:00Z',
  '2024-02-29T01:02:03Z',
  '2025-03-01T00:00:00Z',
  '2049-12-31T23:59:59Z',
  '2050-01-01T00:00:00Z',
  '2100-03-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
])('RFC 5280 §4.1.2.5: %s there and back', iso => {
  const { tag, text } = timeText(Date.parse(iso))
  expect(tag).toBe(iso < '2050' ? Tag.UtcTime : Tag.GeneralizedTime)
  expect(read(tag, text)).toBe(Date.parse(iso))
  expect(read(Tag.GeneralizedTime, iso.replace(/[-:T]/g, ''))).toBe(Date.parse(iso))
})

test('every day of 400 years agrees with the calendar of the platform', () => {
  for (let day = Date.UTC(1950, 0, 1); day < Date.UTC(2350, 0, 1); day += 86_400_000) {
    const digits = new Date(day).toISOString().slice(0, 19).replace(/[-:T]/g, '')
    const { tag, text } = timeText(day)
    if (text !== `${tag === Tag.UtcTime ? digits.slice(2) : digits}Z`) expect(text).toBe(digits)
  }
})

describe('refused', () => {
  test.each([
    '250101000000',
    '2501010000Z',
    '250101000000+0100',
    '250001000000Z',
    '251301000000Z',
    '250100000000Z',
    '250132000000Z',
    '250229000000Z',
    '250431000000Z',
    '250101240000Z',
    '250101006000Z',
    '250101000060Z',
    '25010100000xZ',
    '',
  ])('UTCTime %s', text => expect(() => read(Tag.UtcTime, text)).toThrow(/malformed/))

  test.each(['20250101000000.5Z', '250101000000Z', '21000229000000Z', '20250101000000Z00000'])(
    'GeneralizedTime %s',
    text => expect(() => read(Tag.GeneralizedTime, text)).toThrow(/malformed/),
  )

  test('something that is not a time', () => expect(() => read(Tag.OctetString, '250101000000Z')).toThrow(/malformed/))
})
