import { expect, test } from 'vitest'
import { connect } from '../../src/http3/index.ts'
import { eventually, sockets } from '../endpoint/helpers.ts'

test('options that do not fit throw, and leave no socket behind', async () => {
  const before = sockets()
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  expect(() => connect('https://127.0.0.1:4433/', { ca })).toThrow(TypeError)
  expect(() => connect('http://127.0.0.1:4433/')).toThrow(TypeError)
  expect(await eventually(() => sockets() === before)).toBe(true)
})
