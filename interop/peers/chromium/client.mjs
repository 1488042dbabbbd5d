// Chromium fetches URLs over HTTP/3 and nothing else, many at once on one connection. Told what to do by the environment
// (see ../environment.mjs); BROWSER is the program, RESOLVE is `NAME ADDRESS`.

import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** It refuses fetches beyond some 1,200. */
const AT_ONCE = 500

const env = process.env
const requests = env.REQUESTS.split(' ')
const { host, port } = new URL(requests[0])
const origin = port === '' ? `${host}:443` : host
const profile = mkdtempSync(join(tmpdir(), 'chromium-'))

/** The browser trusts this key and no authority. */
function pin(file) {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

const quiet = ['background-networking', 'component-update', 'sync', 'extensions', 'dev-shm-usage', 'gpu']
const flags = [
  '--headless=new',
  '--no-sandbox',
  '--no-first-run',
  ...quiet.map(name => `--disable-${name}`),
  '--remote-debugging-pipe',
  `--user-data-dir=${profile}`,
  '--enable-quic',
  `--origin-to-force-quic-on=${origin}`,
  `--ignore-certificate-errors-spki-list=${pin(join(env.CERTS, 'cert.pem'))}`,
  `--host-resolver-rules=MAP ${env.RESOLVE}, MAP * ~NOTFOUND`,
  // The page is about:blank, of no origin, and reads what it fetches.
  '--disable-web-security',
  `--ssl-key-log-file=${env.SSLKEYLOGFILE}`,
  `--log-net-log=${join(env.QLOGDIR, 'netlog.json')}`,
]

/** The DevTools protocol over a pair of pipes: JSON, each message ended by a zero byte. */
class Browser {
  #waiting = new Map()
  #number = 0
  #rest = ''

  constructor() {
    this.process = spawn(env.BROWSER, [...flags, 'about:blank'], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'],
    })
    this.process.stdio[4].setEncoding('utf8').on('data', text => this.#read(text))
    this.ended = new Promise(resolve => this.process.once('close', resolve))
    this.ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the browser ended'))
    })
  }

  #read(text) {
    const messages = (this.#rest + text).split('\0')
    this.#rest = messages.pop()
    for (const { id, result, error } of messages.map(each => JSON.parse(each))) {
      const waiter = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error) waiter?.reject(new Error(error.message))
      else waiter?.resolve(result)
    }
  }

  send(method, params = {}, sessionId) {
    const id = ++this.#number
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }
}

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

async function download(browser, sessionId, url) {
  const expression = `(${get})(${JSON.stringify(url)})`
  const options = { expression, awaitPromise: true, returnByValue: true }
  const { result, exceptionDetails } = await browser.send('Runtime.evaluate', options, sessionId)
  if (exceptionDetails) throw new Error(`${url}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
  writeFileSync(join(env.DOWNLOADS, basename(new URL(url).pathname)), Buffer.from(result.value, 'base64'))
}

const browser = new Browser()
try {
  const { targetInfos } = await browser.send('Target.getTargets')
  const { targetId } = targetInfos.find(({ type }) => type === 'page')
  const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
  const waiting = [...requests]
  const work = async () => {
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) await download(browser, sessionId, url)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  console.log(`${requests.length} files`)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await Promise.race([browser.send('Browser.close'), browser.ended]).catch(() => {})
  await browser.ended
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
}
