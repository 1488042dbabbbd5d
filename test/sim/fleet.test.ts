import { expect, test } from 'vitest'
import { Fleet, faultOf } from './fleet.ts'

const EVENTS = Number(process.env['FLEET_EVENTS'] ?? 60)

test('instances come and go: first requests are early, or it is counted why not; none runs twice, none is lost', () => {
  const result = new Fleet(8446, 'fast').run(EVENTS)
  expect(faultOf(result), JSON.stringify(result)).toBeUndefined()
  expect(result.events).toBe(EVENTS)
  expect(result.replayed).toBeGreaterThan(EVENTS / 10)
})
