// A real Chromium, made to speak HTTP/3 to a server of ours from the first request on.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

/** The name pages have: `localhost` would be ::1 first. */
export const HOST = 'h3.test'

/** Where it is. Throws an error that says how to get one. */
export function executable(): string {
  const candidates = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ]
  const found = candidates.find(path => path !== undefined && existsSync(path))
  if (found !== undefined) return found
  throw new Error('no Chromium: `apt-get install chromium`, or set CHROMIUM to the path of one')
}

export class Browser {
  readonly #context: BrowserContext
  readonly #profile: string

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context
    this.#profile = profile
  }

  /** `ports` of servers; `pin`: SHA-256 of their public key, which is what they are known by. */
  static async start(ports: readonly number[], pin: Uint8Array): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: executable(),
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-extensions',
        '--enable-quic',
        `--origin-to-force-quic-on=${ports.map(port => `${HOST}:${port}`)}`,
        `--ignore-certificate-errors-spki-list=${Buffer.from(pin).toString('base64')}`,
        `--host-resolver-rules=MAP ${HOST} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
      ],
    })
    return new Browser(context, profile)
  }

  page(): Promise<Page> {
    return this.#context.newPage()
  }

  async close(): Promise<void> {
    await this.#context.close()
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
