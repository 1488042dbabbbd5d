import { expect, test } from 'vitest'
import { AlternativeServices, MAX_ORIGINS } from '../../../src/web/client/alt-svc.ts'

const origin = new URL('https://example.com/path')

test.each([
  ['h3=":443"', 'example.com', 443],
  ['h2=":443", h3=":8443"; ma=60; persist=1', 'example.com', 8443],
  ['h3-29=":1", h3="other.example:444"; ma="60"', 'other.example', 444],
])('RFC 7838 §3: %s', (value, host, port) => {
  const services = new AlternativeServices()
  services.learn(origin, value, 0)
  expect(services.of(origin.origin, 1000)).toMatchObject({ host, port })
})

test.each(['', 'h2=":443"', 'h3=":0"', 'h3=":70000"', 'h3=:443', 'h3=":443"; ma=0', 'h3=":443"; ma=x', '%%%'])(
  'says nothing: %s',
  value => {
    const services = new AlternativeServices()
    services.learn(origin, value, 0)
    expect(services.of(origin.origin, 0)).toBeUndefined()
  },
)

test('holds for as long as it was said, and until `clear`', () => {
  const services = new AlternativeServices()
  services.learn(origin, 'h3=":443"; ma=60', 0)
  expect(services.of(origin.origin, 59_999)).toBeDefined()
  expect(services.of(origin.origin, 60_000)).toBeUndefined()
  services.learn(origin, 'h3=":443"', 0)
  services.learn(origin, 'clear', 0)
  expect(services.of(origin.origin, 0)).toBeUndefined()
})

test('of many origins the oldest are forgotten', () => {
  const services = new AlternativeServices()
  for (let i = 0; i <= MAX_ORIGINS; i++) services.learn(new URL(`https://${i}.example`), 'h3=":443"', 0)
  expect(services.of('https://0.example', 0)).toBeUndefined()
  expect(services.of('https://1.example', 0)).toBeDefined()
})
