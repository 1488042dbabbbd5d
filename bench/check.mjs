// Has something become much slower? Seconds long, for CI: only ratios, of CPU time or of uninterrupted samples, against
// node:crypto and bare node:dgram in the same run, with bounds that a busy machine keeps. npm run bench:check

import { selfSigned } from 'zerotrip'
import { Pair } from './bulk/benchmark.mjs'
import { median } from './lib/statistics.mjs'
import { subjects } from './micro/packets.mjs'
import { time } from './micro/time.mjs'

/** At most. What is measured on a quiet machine is a third of that or less. */
const bounds = { 40: 0.6, 1200: 1, transfer: 14 }
/** Seconds for each subject. */
const TIME = 0.05
const MEBIBYTES = 16
const TURNS = 3

const failures = []
for (const size of [40, 1200])
  judge(`seal+open ${size} bytes, wasm / raw node:crypto`, await crypto(size), bounds[size])
judge('CPU of a transfer at 1,452 bytes / bare node:dgram', await transfer(), bounds.transfer)
if (failures.length > 0) {
  console.error(`slower than it may be: ${failures.join('; ')}`)
  process.exitCode = 1
}

async function crypto(size) {
  const all = subjects()
  const sum = async by => {
    let ns = 0
    for (const verb of ['seal', 'open']) {
      const subject = all.find(({ name }) => name === `${verb} chacha20-poly1305 ${size} ${by}`)
      subject.check()
      ns += (await time(subject.run, TIME)).ns
    }
    return ns
  }
  return (await sum('wasm')) / (await sum('raw'))
}

async function transfer() {
  const identity = selfSigned({ hosts: ['localhost', '127.0.0.1'] })
  const pairs = []
  try {
    for (const name of ['zerotrip-1452', 'dgram']) pairs.push(await Pair.start(name, identity, process.execPath))
    for (const pair of pairs) await pair.transfer(MEBIBYTES)
    const ratios = []
    for (let turn = 0; turn < TURNS; turn++) {
      const [ours, bare] = [await pairs[0].transfer(MEBIBYTES), await pairs[1].transfer(MEBIBYTES)]
      ratios.push(ours.cpuPerMebibyte / bare.cpuPerMebibyte)
    }
    return median(ratios)
  } finally {
    for (const pair of pairs) await pair.stop()
  }
}

function judge(what, ratio, bound) {
  const isKept = ratio <= bound
  console.log(`${isKept ? '✓' : '✗'} ${what}: ${ratio.toFixed(2)}, at most ${bound}`)
  if (!isKept) failures.push(`${what} ${ratio.toFixed(2)} > ${bound}`)
}
