// The status page in a real browser: it draws what the gateway knows, from the gateway alone.

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Browser } from '../../test/browser/chromium.ts'
import { GatewayWorld } from './gateway-world.ts'

const world = new GatewayWorld()
const complaints: string[] = []
const asked: string[] = []
let browser: Browser
let page: Page

beforeAll(async () => {
  await world.start({ service: 'witness', envProcess: 'witness.mjs' })
  for (let i = 0; i < 5; i++) await world.call(`/function/witness/${i}`)
  browser = await Browser.start([], new Uint8Array(32))
  page = await browser.page()
  page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(error.message))
  page.on('request', request => asked.push(new URL(request.url()).host))
})

afterAll(async () => {
  await browser?.close()
  await world[Symbol.asyncDispose]()
})

test('/ui/: functions, instances, share of 0-RTT, latency; nothing from elsewhere, no complaint', async () => {
  const url = `http://127.0.0.1:${world.ports.port}/ui/`
  await page.setExtraHTTPHeaders({ authorization: `Basic ${btoa('admin:secret')}` })
  await page.goto(url)
  const row = page.locator('tr[data-function=witness]')
  await row.waitFor()
  const cells = await row.locator('td').allTextContents()
  expect(cells.slice(0, 4)).toEqual(['witness openfaas-fn, early data: safe', '1 of 1', '5', '100 %'])
  expect(cells[4]).toMatch(/^\d+\.\d ms \/ \d+\.\d ms$/)
  expect(cells[7]).toMatch(/^\d+ MB$/)
  expect((await row.locator('polyline').getAttribute('points'))?.split(' ')).toHaveLength(5)
  expect(new Set(asked)).toEqual(new Set([new URL(url).host]))
  expect(complaints).toEqual([])
})

test('it follows what happens', async () => {
  await world.call('/function/witness/more')
  await page.locator('tr[data-function=witness] td:nth-child(3)', { hasText: '6' }).waitFor()
})
