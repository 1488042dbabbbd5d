// Chromium, headless, over the DevTools protocol. BROWSER in the environment is the program, RESOLVE is `NAME ADDRESS`; the
// rest is that of all peers (../environment.mjs).

import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const env = process.env
const { host, port } = new URL(env.REQUESTS.split(' ')[0])
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
  // The page has no origin, and reads what it fetches.
  '--disable-web-security',
  `--ssl-key-log-file=${env.SSLKEYLOGFILE}`,
  `--log-net-log=${join(env.QLOGDIR, 'netlog.json')}`,
]

/** JSON over a pair of pipes, each message ended by a zero byte. */
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

/** Calls `work` with { run(function, ...args) }, which runs the function in a page and resolves with its result. */
export async function withPage(work) {
  const browser = new Browser()
  try {
    const { targetInfos } = await browser.send('Target.getTargets')
    const { targetId } = targetInfos.find(({ type }) => type === 'page')
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
    // An empty file is a secure context, in which WebTransport is; about:blank is not.
    writeFileSync(join(profile, 'page.html'), '<!doctype html>')
    await browser.send('Page.navigate', { url: `file://${profile}/page.html` }, sessionId)
    const page = { run: (code, ...args) => evaluate(browser, sessionId, `(${code})(...${JSON.stringify(args)})`) }
    await work(page)
  } finally {
    await Promise.race([browser.send('Browser.close'), browser.ended]).catch(() => {})
    await browser.ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function evaluate(browser, sessionId, expression) {
  const options = { expression, awaitPromise: true, returnByValue: true }
  const { result, exceptionDetails } = await browser.send('Runtime.evaluate', options, sessionId)
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  return result.value
}
