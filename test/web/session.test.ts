import { expect, test } from 'vitest'
import { connect } from '../../src/http3/index.ts'

const sockets = (): number => process.getActiveResourcesInfo().filter(name => name === 'UDPWrap').length

test('options that do not fit throw, and leave no socket behind', async () => {
  const before = sockets()
  const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  expect(() => connect('https://127.0.0.1:4433/', { ca })).toThrow(TypeError)
  expect(() => connect('http://127.0.0.1:4433/')).toThrow(TypeError)
  const deadline = performance.now() + 2000
  while (sockets() > before && performance.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5))
  expect(sockets()).toBe(before)
})
