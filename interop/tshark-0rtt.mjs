// Is there a request in the very first datagram? tshark decides: it records what a command sends over the loopback
// interface, decrypts it with the key log (SSLKEYLOGFILE) and looks for an HTTP/3 HEADERS frame in a 0-RTT packet.
//
//     node interop/tshark-0rtt.mjs [COMMAND...]       needs tshark, and the right to capture

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Child, stopAll } from './lib/child.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const EXAMPLE = [process.execPath, join(here, 'provisioned-request.mjs')]
const ZERO_RTT = '1'
const INITIAL = '0'
const HEADERS = '1'
const FIELDS = [
  'frame.number',
  'quic.connection.number',
  'udp.srcport',
  'udp.dstport',
  'udp.length',
  'quic.header_form',
]
FIELDS.push('quic.long.packet_type', 'http3.frame_type')

/**
 * Captures while `command` ([program, ...arguments]) runs. Resolves with {line, requests}: a line to print, and the
 * first datagrams with a request inside. Rejects when there is none, or the command or the capture fails.
 */
export async function run({
  command = EXAMPLE,
  timeout = 60_000,
  directory = join(here, '..', '.cache', 'tshark'),
} = {}) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const capture = join(directory, 'capture.pcapng')
  const keys = join(directory, 'keys.log')
  const dumpcap = new Child('dumpcap', ['-q', '-i', 'lo', '-f', 'udp', '-w', capture], {
    log: join(directory, 'dumpcap.log'),
  })
  try {
    await dumpcap.line(line => line.startsWith('File: '))
    // It says so a little before it is so.
    await sleep(300)
    await runCommand(command, { keys, timeout, log: join(directory, 'command.log') })
    // What was sent last is still in the kernel's buffer.
    await sleep(700)
  } finally {
    await dumpcap.stop('SIGINT')
  }
  if (!existsSync(keys)) throw new Error(`${command.join(' ')} wrote no keys to SSLKEYLOGFILE`)
  const frames = decode(capture, keys)
  const requests = firstDatagrams(frames).filter(isEarlyRequest)
  if (requests.length === 0) {
    throw new Error(`no HTTP/3 HEADERS in a 0-RTT packet of a first datagram; see ${capture} with ${keys}`)
  }
  return { requests, line: lineOf(requests) }
}

async function runCommand([program, ...args], { keys, timeout, log }) {
  const child = new Child(program, args, { log, env: { SSLKEYLOGFILE: keys } })
  const late = new AbortController()
  const limit = sleep(timeout, 'late', { signal: late.signal }).catch(() => {})
  const end = await Promise.race([child.ended, limit])
  late.abort()
  await child.stop()
  if (end === 'late') throw new Error(`${program} did not end within ${timeout / 1000} s`)
  if (end.code !== 0) throw new Error(`${program} ended with ${end.signal ?? end.code}: ${child.lines.at(-1)}`)
}

/** Two passes: what protocol a 0-RTT packet carries is known only from the server's answer. */
function decode(capture, keys) {
  const args = ['-2', '-r', capture, '-o', `tls.keylog_file:${keys}`, '-Y', 'quic', '-T', 'fields', '-E', 'separator=;']
  args.push(...FIELDS.flatMap(field => ['-e', field]))
  const options = { encoding: 'utf8', maxBuffer: 1 << 30, timeout: 120_000, stdio: ['ignore', 'pipe', 'ignore'] }
  const rows = execFileSync('tshark', args, options).split('\n').filter(Boolean)
  return rows.map(row => Object.fromEntries(row.split(';').map((text, i) => [FIELDS[i], text.split(',')])))
}

/** Of each connection: many of them may share a socket. */
function firstDatagrams(frames) {
  const seen = new Set()
  return frames.filter(frame => {
    const [connection] = frame['quic.connection.number']
    if (seen.has(connection)) return false
    seen.add(connection)
    return true
  })
}

/**
 * An Initial and a 0-RTT packet, nothing else. An Initial has no room for streams (RFC 9000 §12.4), so that a HEADERS
 * frame is inside the other.
 */
function isEarlyRequest(frame) {
  const types = frame['quic.long.packet_type']
  const isLongOnly = frame['quic.header_form'].every(form => form === '1' || form === 'True')
  const isFirstFlight = types.includes(ZERO_RTT) && types.every(type => type === INITIAL || type === ZERO_RTT)
  return isLongOnly && isFirstFlight && frame['http3.frame_type'].includes(HEADERS)
}

function lineOf(requests) {
  const [first] = requests
  const [size] = first['udp.length'].map(length => Number(length) - 8)
  const ports = `${first['udp.srcport']} -> ${first['udp.dstport']}`
  const others = requests.length > 1 ? `, and in ${requests.length - 1} other connections` : ''
  return `tshark: HTTP/3 HEADERS in a 0-RTT packet of the first datagram (${size} bytes, port ${ports}${others})`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const command = process.argv.slice(2)
  try {
    const { line } = await run(command.length > 0 ? { command } : {})
    process.stdout.write(`${line}\n`)
  } catch (error) {
    process.stderr.write(`tshark-0rtt: ${error.message}\n`)
    process.exitCode = 1
  } finally {
    await stopAll()
  }
}
