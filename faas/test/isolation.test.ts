// What the code of a function cannot get at: the keys of its watchdog. Programs of the system look for us.

import { readdirSync, readlinkSync } from 'node:fs'
import { type LaunchedWorker, launch } from '@zerotrip/faas/generator'
import { afterAll, describe, expect, test } from 'vitest'
import { connect } from 'zerotrip/http3'

const workers: LaunchedWorker[] = []
const isRoot = process.getuid?.() === 0

afterAll(() => Promise.all(workers.map(worker => worker.stop())))

async function launched(fprocess: string, more: NodeJS.ProcessEnv = {}): Promise<LaunchedWorker> {
  const environment = { PATH: process.env['PATH'], mode: 'streaming', fprocess, ...more }
  const worker = await launch({ clientId: 'gateway', startDeadline: 60_000, environment })
  workers.push(worker)
  return worker
}

/** What the program says to `body`. */
async function ask(worker: LaunchedWorker, body: string): Promise<string> {
  const session = connect(`https://${worker.origin}`, { bundle: worker.client })
  const text = await (await session.fetch('/', { method: 'POST', body })).text()
  await session.close()
  return text
}

function linkOf(number: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${number}`)
  } catch {
    return ''
  }
}

describe.runIf(process.platform === 'linux')('tenant code never sees a key', () => {
  test('no descriptor but the three of every program', async () => {
    const worker = await launched('ls -l /proc/self/fd')
    const open = [...(await ask(worker, '')).matchAll(/ (\d+) -> (.*)$/gm)].map(([, number, path]) => ({
      number,
      path,
    }))
    expect(open.length).toBeGreaterThan(3)
    // Those that this process was started with are everybody's; the directory is the one that is listed.
    const ours = new Set(readdirSync('/proc/self/fd').map(linkOf))
    const more = open.filter(({ number, path = '' }) => Number(number) > 2 && !ours.has(path))
    expect(more.map(({ path }) => path)).toEqual([expect.stringMatching(/^\/proc\/\d+\/fd$/)])
  })

  test('nothing of it in the environment, its own or that of the watchdog', async () => {
    const secret = { quic_bundle_url: 'https://127.0.0.1:1/credentials', quic_bundle_token_file: '/dev/null' }
    const own = (await ask(await launched('cat /proc/self/environ', secret), '')).split('\0')
    expect(own.filter(each => /^(ZEROTRIP|quic_bundle)/.test(each))).toEqual([])
    expect(own).toContain('mode=streaming')
    const worker = await launched('xargs cat')
    const watchdog = (await ask(worker, `/proc/${worker.process.pid}/environ`)).split('\0')
    const key = Buffer.from(worker.client.key)
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
      expect(watchdog.join('\n')).not.toContain(key.toString(encoding))
    }
    // Numbers of descriptors, of which one is closed by now.
    expect(watchdog.filter(each => each.startsWith('ZEROTRIP'))).toEqual(
      expect.arrayContaining(['ZEROTRIP_BUNDLE_FD=3', 'ZEROTRIP_PLATFORM_FD=4']),
    )
  })

  test.runIf(isRoot)('function_uid: another user, who does not get at the watchdog’s memory', async () => {
    const other = await launched('xargs id', { function_uid: '65534' })
    expect(await ask(other, '-u')).toBe('65534\n')
    const reader = await launched('xargs readlink', { function_uid: '65534' })
    const path = `/proc/${reader.process.pid}/exe`
    // Whoever may read this may read memory, too (ptrace(2): PTRACE_MODE_READ).
    expect(await ask(reader, path)).toBe('')
    expect(readlinkSync(path)).toBe(process.execPath)
  })
})
