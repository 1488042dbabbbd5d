// What a watchdog reads from its environment.

import { describe, expect, test } from 'vitest'
import { readDuration } from '../src/http/duration.ts'
import { readSettings } from '../src/watchdog/settings.ts'

describe('the environment', () => {
  test('durations: whole seconds or those of Go, unreadable ones are the default', () => {
    expect(['5', '500ms', '1m30s', '1.5h', '10us'].map(readDuration)).toEqual([5000, 500, 90_000, 5_400_000, 0.01])
    expect(['', 'abc', '5x', '1m 3s', '-1s'].map(readDuration)).toEqual(Array(5).fill(undefined))
    const settings = readSettings({ fprocess: 'cat', read_timeout: 'soon', write_timeout: '2m' })
    expect([settings.readTimeout, settings.writeTimeout, settings.healthcheckInterval]).toEqual([
      30_000, 120_000, 120_000,
    ])
    expect(readSettings({ fprocess: 'cat', exec_timeout: '0' }).execTimeout).toBe(Number.POSITIVE_INFINITY)
  })

  test.each([
    ['fprocess', {}],
    ['write_timeout', { fprocess: 'cat', write_timeout: '0' }],
    ['mode', { fprocess: 'cat', mode: 'afterburn' }],
    ['port', { fprocess: 'cat', port: '70000' }],
    ['max_inflight', { fprocess: 'cat', max_inflight: 'many' }],
    ['quic', { fprocess: 'cat', quic: 'maybe' }],
  ])('%s: what does not fit is named', (name, environment) => {
    expect(() => readSettings(environment)).toThrow(name)
  })

  test('fprocess, or function_process, which wins, is split at spaces', () => {
    expect(readSettings({ fprocess: 'a', function_process: 'b  c' }).command).toEqual(['b', 'c'])
  })
})
