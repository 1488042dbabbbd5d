// Chromium fetches URLs over HTTP/3 and nothing else, many at once on one connection; or it visits a WebTransport session.

import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { withPage } from './browser.mjs'
import { visit } from './session.mjs'

/** It refuses fetches beyond some 1,200. */
const AT_ONCE = 500

const env = process.env

/** Runs in the page: the content in base64. */
async function get(url) {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`status ${response.status}`)
  const reader = new FileReader()
  const read = new Promise(resolve => {
    reader.onload = resolve
  })
  reader.readAsDataURL(await response.blob())
  await read
  return reader.result.slice(reader.result.indexOf(',') + 1)
}

async function download(page) {
  const requests = env.REQUESTS.split(' ')
  const waiting = [...requests]
  const work = async () => {
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
      const content = Buffer.from(await page.run(get, url), 'base64')
      writeFileSync(join(env.DOWNLOADS, basename(new URL(url).pathname)), content)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  console.log(`${requests.length} files`)
}

try {
  await withPage(env.PROTOCOLS === '' ? download : visit)
} catch (error) {
  console.error(error)
  process.exitCode = 1
}
