// Through a listener: a ClientHello in two datagrams, each order and each loss, with Retry and slow admission.

import { expect, test } from 'vitest'
import { retryAlways, retryNever } from '../../src/endpoint/admission.ts'
import type { EndpointOptions } from '../../src/endpoint/endpoint-options.ts'
import type { Admit } from '../../src/endpoint/incoming.ts'
import { client, echo, server, Tap } from './helpers.ts'

const groups = ['X25519MLKEM768', 'X25519'] as const
const transport = { initialRtt: 20 }

const thinking: Admit = () => new Promise(resolve => setTimeout(resolve, 5, 'accept'))

async function group(admit: Admit, arrange: (tap: Tap) => void, options: EndpointOptions = {}): Promise<string> {
  const { address } = await server(session => void echo(session), { admit, transport, ...options })
  const tap = await Tap.before(address)
  arrange(tap)
  const session = client(tap.address, { groups, transport })
  return (await session.opened).group
}

const dropping =
  (...lost: number[]) =>
  (tap: Tap): void => {
    tap.passes = (_, direction) => direction === 'toClient' || !lost.includes(tap.toServer.length - 1)
  }

/** The first datagram arrives behind the second. */
function swapping(tap: Tap): void {
  tap.passes = (_, direction) => {
    if (direction === 'toClient' || tap.toServer.length > 2) return true
    if (tap.toServer.length === 2) {
      tap.toServerNow(tap.toServer[1] as Uint8Array)
      tap.toServerNow(tap.toServer[0] as Uint8Array)
    }
    return false
  }
}

const admissions = [
  ['at once', retryNever],
  ['with Retry', retryAlways],
  ['after a while', thinking],
] as const

test.each(admissions)(
  'RFC 9000 §7.2: a long ClientHello is taken %s, whatever is lost or swapped',
  async (_, admit) => {
    for (const arrange of [() => {}, dropping(0), dropping(1), dropping(0, 1), swapping]) {
      expect(await group(admit, arrange)).toBe('X25519MLKEM768')
    }
  },
)

test('the option `groups` names what there is', async () => {
  const { address } = await server(undefined, { groups: ['P-384'] })
  expect((await client(address).opened).group).toBe('P-384')
  expect(() => client(address, { groups: ['P-521' as never] })).toThrow('groups must be some of X25519, P-256')
  expect(() => client(address, { groups: [] })).toThrow(RangeError)
})
