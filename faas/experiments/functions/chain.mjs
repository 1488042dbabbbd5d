// A function that calls the next one, which calls the next one: `/?length=N&via=SYSTEM`. Its answer says of each call
// in the chain whether it came to the gateway as early data.

import { fetch as chainFetch } from '@zerotrip/faas/chain'
import { PlainCaller } from '../lib/plain-caller.mjs'
import { systems } from '../lib/systems.mjs'

/** Of each system: where its gateway is, by the machine that started this. */
const gateways = JSON.parse(process.env['GATEWAYS'])
const callers = new Map()

export async function fetch(request) {
  const url = new URL(request.url)
  const length = Number(url.searchParams.get('length'))
  const via = url.searchParams.get('via')
  const early = request.headers.has('early-data') ? 'E' : '-'
  const rest = length > 1 ? await next(via, `/function/chain${length - 1}/?length=${length - 1}&via=${via}`) : ''
  return { headers: [['content-type', 'text/plain']], body: early + rest }
}

async function next(via, path) {
  if (systems[via].transport === 'quic') return (await chainFetch(path)).text()
  const caller = callers.get(via) ?? new PlainCaller(systems[via], gateways[via])
  callers.set(via, caller)
  return (await caller.call(path)).toString()
}
