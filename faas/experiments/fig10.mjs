// Figure 10: Hello, Retail!, a shop of fifteen functions with a database. a: pure functions; b: functions with one
// operation of the database; c: chains whose functions call each other over plain TCP, as in the paper; d: the same
// chains, with functions that call each other as the system does (the chain client).

import { inTurns } from '../../bench/lib/turns.mjs'
import { Scene } from './lib/calls.mjs'
import { IDLE, startOptions } from './lib/chains.mjs'
import { Shop } from './lib/shop.mjs'
import { change, summary } from './lib/summary.mjs'
import { systems } from './lib/systems.mjs'

const DELAY = 0.5
const NAMES = ['tcp', 'tls13', 'tls13-resumed', 'quic-post1rtt', 'quic-0rtt']
/** Calls of each function by each system that nobody measures, and rounds of everything. */
const WARM_UP_CALLS = 400
const WARM_UP = 40

const FUNCTIONS = [
  'product-catalog-api',
  'product-catalog-builder',
  'photo-request',
  'photo-assign',
  'photo-message',
  'photo-record',
  'photo-register',
  'photo-acquire',
  'photo-receive',
  'photo-success',
  'photo-report',
  'product-purchase',
  'product-purchase-get-price',
  'product-purchase-authorize-cc',
  'product-purchase-publish',
]

const request = { method: 'POST', body: { product: '1' } }
const acquire = { method: 'POST', body: { product: '1', photo: 'x'.repeat(1000) } }
const purchase = { method: 'POST', body: { id: '2', user: 'eve' } }

/** `paper`: what QFaaS says of 0-RTT and of POST1RTT, to TCP + TLS. */
const CASES = {
  '10a f10 photo-success': { name: 'photo-success', query: 'product=1', method: 'GET', paper: 'as 5a' },
  '10a f15 product-purchase-publish': {
    name: 'product-purchase-publish',
    method: 'POST',
    body: { id: '2', user: 'eve', approved: true },
    paper: 'as 5a',
  },
  '10b f1 product-catalog-api': { name: 'product-catalog-api', query: 'category=toys', method: 'GET', paper: -0.12 },
  '10b f7 photo-register': {
    name: 'photo-register',
    method: 'POST',
    body: { id: 'ann', mail: 'ann@shop.test' },
    paper: -0.12,
    post1rtt: -0.07,
  },
  '10c chain 1 photo-request': {
    name: 'photo-request',
    ...request,
    isPlain: true,
    paper: '-14 … -25 %',
    post1rtt: '-6 … -10 %',
  },
  '10c chain 2 photo-acquire': {
    name: 'photo-acquire',
    ...acquire,
    isPlain: true,
    paper: '-14 … -25 %',
    post1rtt: '-6 … -10 %',
  },
  '10c chain 3 product-purchase': {
    name: 'product-purchase',
    ...purchase,
    isPlain: true,
    paper: '-14 … -25 %',
    post1rtt: '-6 … -10 %',
  },
  '10d chain 1 photo-request': { name: 'photo-request', ...request, paper: '–' },
  '10d chain 2 photo-acquire': { name: 'photo-acquire', ...acquire, paper: '–' },
  '10d chain 3 product-purchase': { name: 'product-purchase', ...purchase, paper: -0.21 },
}

export const fig10 = {
  title: 'Hello, Retail!: fifteen functions, three chains, MariaDB',
  async run({ quick, samples = quick ? 5 : 100, onProgress }) {
    const scene = await Scene.open(DELAY, NAMES, { isReachable: true })
    scene.idle = IDLE
    let shop
    try {
      onProgress(0, 'starting the database and fifteen functions')
      shop = await Shop.open(scene.network)
      for (const name of FUNCTIONS) {
        const options = await startOptions(scene, 'quic-0rtt', shop.environment)
        await scene.put(name, await scene.start(`hello-retail/${name}.mjs`, options))
      }
      // The one function of the application that is none of the fifteen's calls: used once, to fill the shop.
      await callOne(scene, 'tcp', {
        name: 'product-catalog-builder',
        method: 'POST',
        body: { id: '4', category: 'toys', name: 'a top', price: 3 },
      })
      const calls = quick ? 20 : WARM_UP_CALLS
      for (const name of FUNCTIONS) await scene.warmUp(name, calls, onProgress)
      const keys = Object.keys(CASES).flatMap(key => NAMES.map(name => `${key} ${name}`))
      const turns = { samples, warmUp: quick ? 5 : WARM_UP, onProgress }
      const results = await inTurns(keys, turns, key => {
        const name = key.slice(key.lastIndexOf(' ') + 1)
        return callOne(scene, name, CASES[key.slice(0, key.lastIndexOf(' '))])
      })
      return conclude(scene, shop, results, samples, calls)
    } finally {
      await shop?.close()
      await scene.close()
    }
  },
}

async function callOne(scene, system, { name, query = '', method, body, isPlain = false }) {
  const via = isPlain ? `${system},plain` : system
  const path = `/function/${name}/?via=${via}${query && `&${query}`}`
  const { ms } = await scene.call(system, { path, method, body: body && JSON.stringify(body) })
  return ms
}

function conclude(scene, shop, raw, samples, calls) {
  const measured = Object.keys(CASES).flatMap(key =>
    NAMES.map(system => ({
      key,
      system,
      method: key,
      label: systems[system].label,
      ...summary(raw[`${key} ${system}`]),
    })),
  )
  return {
    conditions: { ...scene.network.conditions, samples, warmUpCalls: calls, database: shop.version },
    measured,
    comparisons: Object.entries(CASES).flatMap(([key, each]) => compare(raw, key, each)),
    raw,
  }
}

function compare(raw, key, { method, paper, post1rtt }) {
  const than = (ours, theirs) => change(raw[`${key} ${ours}`], raw[`${key} ${theirs}`])
  const of = `${key.slice(0, 3)} ${key.slice(4)}`
  return [
    { what: `${of}: 0-RTT to TLS 1.3, full`, ...than('quic-0rtt', 'tls13'), paper },
    { what: `${of}: 0-RTT to TLS 1.3, resumed`, ...than('quic-0rtt', 'tls13-resumed') },
    ...(method === 'GET'
      ? []
      : [{ what: `${of}: POST1RTT to TLS 1.3, full`, ...than('quic-post1rtt', 'tls13'), paper: post1rtt }]),
  ]
}
