import { expect, test } from 'vitest'
import { Level, levelNames, Space, spaceOf } from '../../src/packet/level.ts'

test('RFC 9000 §12.3: 0-RTT and 1-RTT share one packet number space', () => {
  expect(spaceOf(Level.Initial)).toBe(Space.Initial)
  expect(spaceOf(Level.Handshake)).toBe(Space.Handshake)
  expect(spaceOf(Level.ZeroRtt)).toBe(Space.Application)
  expect(spaceOf(Level.OneRtt)).toBe(Space.Application)
})

test('levels have names', () => {
  expect(levelNames[Level.ZeroRtt]).toBe('0-RTT')
  expect(levelNames.length).toBe(4)
})
