// What a person reads: the story, the table, the bars.

import { cpus } from 'node:os'
import { styleText } from 'node:util'

const isColoured = process.stdout.isTTY && !process.env['NO_COLOR']
const paint = (style, text) => (isColoured ? styleText(style, text) : text)
const bold = text => paint('bold', text)
const dim = text => paint('dim', text)
const good = text => paint('green', text)
const bad = text => paint('red', text)

/** Columns of the longest bar. */
const BAR = 32
/** ms between client and worker in the second column of bars. */
const DISTANCE = 20

const explanations = {
  tcp: 'TCP, no encryption',
  'tls13-full': 'TCP + TLS 1.3, certificate',
  'tls13-resumed': 'TCP + TLS 1.3, ticket',
  'quic-1rtt': 'QUIC, certificate',
  'quic-0rtt-ticket': 'QUIC, ticket of an earlier visit',
  'quic-0rtt-provisioned': 'QUIC, key made for the launch',
}

export function greeting(samples) {
  const [cpu] = cpus()
  return [
    '',
    `${bold('zerotrip')}: the first packet to a new process already carries an encrypted request`,
    dim(`Node ${process.version}, ${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${samples} samples of each kind`),
    '',
  ].join('\n')
}

export function firstPacket({ worker, startMs }, contact) {
  const { host, port } = worker.announcement
  const isRight = contact.earlyData === 'accepted' && contact.executed === 1 && contact.early > 0
  return [
    bold('1  A worker nobody has ever contacted'),
    `   process ${worker.process.pid} listens on ${host}:${port} after ${startMs.toFixed(0)} ms`,
    '   its half of the key came over an inherited descriptor, the other half is here',
    `   first datagram it ever received: ${contact.flight[0].length} bytes, ${contact.kinds.join(' + ')}`,
    `   ${contact.cipherSuite}, ${contact.group}; early data ${contact.earlyData}`,
    isRight
      ? good(`   ✓ the handler ran before the handshake was complete, the answer came back in one round trip`)
      : bad('   ✗ the request was not answered as early data'),
    dim(`     after ${contact.ms.toFixed(1)} ms, as none of the worker's code had ever run`),
    '',
  ].join('\n')
}

export function table({ measured, seen }) {
  const rows = Object.entries(measured)
  const longest = Math.max(...rows.map(([, row]) => row.p50ms))
  const farthest = Math.max(...rows.map(([, row]) => atDistance(row)))
  const head = `   ${'first request over'.padEnd(36)}${'round trips'.padStart(11)}${'median'.padStart(11)}${'p90'.padStart(11)}${'0-RTT'.padStart(8)}`
  return [
    bold('2  Six ways to a first request, a fresh connection each time, in turns'),
    dim(head),
    ...rows.map(([name, row]) => line(name, row)),
    dim('   round trips: before the request leaves, as observed'),
    '',
    dim(`   median on this machine, no distance${' '.repeat(BAR - 10)}the same at ${DISTANCE} ms distance (computed)`),
    ...rows.map(([name, row]) => bars(name, row, longest, farthest)),
    '',
    `   the worker ran ${seen.early} requests early; the handshake was complete afterwards for ${seen.earlyConfirmed} of them`,
    '',
  ].join('\n')
}

function line(name, row) {
  const early = row.earlyAccepted === 0 ? dim('–'.padStart(8)) : good(share(row).padStart(8))
  const trips = String(row.roundTrips).padStart(11)
  return `   ${explanations[name].padEnd(36)}${row.roundTrips === 0 ? good(trips) : trips}${ms(row.p50ms)}${ms(row.p90ms)}${early}`
}

function bars(name, row, longest, farthest) {
  const near = bar(row.p50ms / longest, BAR - 8)
  const far = bar(atDistance(row) / farthest, BAR - 8)
  const label = name.padEnd(22)
  const style = row.roundTrips === 0 ? 'green' : 'cyan'
  return `   ${label} ${paint(style, near)}   ${paint(style, far)} ${dim(`${atDistance(row).toFixed(0)} ms`)}`
}

/** What distance adds: the trips before the request, and the one with it. */
function atDistance(row) {
  return row.p50ms + (row.roundTrips + 1) * DISTANCE
}

function bar(part, width) {
  const eighths = Math.max(1, Math.round(part * width * 8))
  return ('█'.repeat(eighths >> 3) + (eighths % 8 ? ' ▏▎▍▌▋▊▉'[eighths % 8] : '')).padEnd(width)
}

function share(row) {
  return `${Math.round((100 * row.earlyAccepted) / row.samples)} %`
}

function ms(value) {
  return `${value.toFixed(2)} ms`.padStart(11)
}

export function replayed(result, contacts) {
  const { same, other, sent, executed } = result
  const answered = same.answered + other.answered
  const verdict = `replayed ${sent} times, executed ${executed} times`
  return [
    bold('3  Somebody recorded first flights, and sends them again'),
    `   ${contacts} recorded flights, ${same.sent} replays to process ${same.pid}, which they were meant for: executed ${same.executed} times`,
    `   ${' '.repeat(String(contacts).length)}                 ${other.sent} replays to process ${other.pid}, a second worker:           executed ${other.executed} times`,
    dim(
      `   ${answered} were answered, with a handshake only the owner of the key can complete; ${sent - answered} came while that was waiting`,
    ),
    executed === 0 ? good(`   ✓ ${verdict}`) : bad(`   ✗ ${verdict}`),
    '',
  ].join('\n')
}

/** One line on a terminal that is overwritten; nothing anywhere else. */
export class Progress {
  #isShown = process.stderr.isTTY === true
  #last = -1

  show(text, part) {
    if (!this.#isShown) return
    const percent = Math.round(part * 100)
    if (percent === this.#last) return
    this.#last = percent
    const filled = Math.round(part * BAR)
    process.stderr.write(`\r\x1b[K   ${text} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent} %`)
  }

  clear() {
    if (this.#isShown) process.stderr.write('\r\x1b[K')
    this.#last = -1
  }
}
