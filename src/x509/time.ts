// Dates of certificates (RFC 5280 §4.1.2.5) to and from unix time. The calendar is done by hand: there is no clock here.

import { type DerReader, malformed, Tag } from './der.ts'

const DAY = 86_400_000

/** Reads a UTCTime or a GeneralizedTime, in ms. Seconds and the Z are required (RFC 5280 §4.1.2.5.1-2). */
export function readTime(reader: DerReader): number {
  const isUtc = reader.has(Tag.UtcTime)
  const text = String.fromCharCode(...reader.value(isUtc ? Tag.UtcTime : Tag.GeneralizedTime).subarray(0, 16))
  if (!(isUtc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw malformed('a date')
  const yearLength = isUtc ? 2 : 4
  let year = Number(text.slice(0, yearLength))
  if (isUtc) year += year >= 50 ? 1900 : 2000
  const [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(at =>
    Number(text.slice(yearLength + at, yearLength + at + 2)),
  ) as [number, number, number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) throw malformed('a date')
  if (hour > 23 || minute > 59 || second > 59) throw malformed('a time of day')
  return daysSinceEpoch(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1000
}

/** The digits RFC 5280 wants for a time in ms: two for the year until 2049, four from 2050. */
export function timeText(unixTime: number): { tag: number; text: string } {
  const days = Math.floor(unixTime / DAY)
  const seconds = Math.floor((unixTime - days * DAY) / 1000)
  const { year, month, day } = civil(days)
  const rest = [month, day, Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const digits = `${String(year).padStart(4, '0')}${rest.map(n => String(n).padStart(2, '0')).join('')}Z`
  const isUtc = year >= 1950 && year < 2050
  return isUtc ? { tag: Tag.UtcTime, text: digits.slice(2) } : { tag: Tag.GeneralizedTime, text: digits }
}

/** `2026-11-21`, for messages. */
export function dateText(unixTime: number): string {
  const { year, month, day } = civil(Math.floor(unixTime / DAY))
  return [String(year).padStart(4, '0'), ...[month, day].map(n => String(n).padStart(2, '0'))].join('-')
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

// Years are counted from March, so that the leap day is the last of its year and months follow one formula.
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const monthFromMarch = (month + 9) % 12
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - DAYS_TO_EPOCH
}

// From March 1st of the year 0 to January 1st 1970.
const DAYS_TO_EPOCH = 719_468

function civil(days: number): { year: number; month: number; day: number } {
  // The estimate is never late and at most one year early.
  let year = Math.floor(days / 365.2425) + 1969
  while (daysSinceEpoch(year + 1, 1, 1) <= days) year++
  let month = 12
  while (daysSinceEpoch(year, month, 1) > days) month--
  return { year, month, day: days - daysSinceEpoch(year, month, 1) + 1 }
}
