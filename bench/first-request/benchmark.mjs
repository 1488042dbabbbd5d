// How long a first request takes, over loopback: no distance, so that only computing counts.

import { fileURLToPath } from 'node:url'
import { launch } from '@zerotrip/faas/generator'
import { measure } from './measure.mjs'
import { ahead, sharedContext, Variants, variantNames } from './variants.mjs'

/** What must hold: a ratio of medians, and a share of accepted early data. */
const limits = { ratioToTlsResumed: 0.7, earlyShare: 0.99 }

/** Rounds that are not counted: until the optimizing compiler of both processes has nothing left to do. */
const WARM_UP = 6000
const QUICK_WARM_UP = 600

const handler = fileURLToPath(new URL('function.mjs', import.meta.url))

export async function run({ samples = 400, quick = false }) {
  const worker = await launch({ handler, clientId: 'bench', tcp: true, tls: true })
  const variants = new Variants(worker)
  try {
    const names = [...variantNames, ahead, sharedContext]
    const measured = await measure(variants, {
      samples,
      warmUp: quick ? QUICK_WARM_UP : WARM_UP,
      names,
      onProgress: progress,
    })
    return judge(measured)
  } finally {
    await variants.close()
    await worker.stop()
  }
}

function judge(variants) {
  const { p50ms, earlyAccepted, samples } = variants['quic-0rtt-provisioned']
  const ratios = Object.fromEntries(
    Object.entries(variants).map(([name, row]) => [name, Number((p50ms / row.p50ms).toFixed(3))]),
  )
  const earlyShare = earlyAccepted / samples
  const isReached = ratios['tls13-resumed'] <= limits.ratioToTlsResumed && earlyShare >= limits.earlyShare
  return { variants, ratios, earlyShare, limits, isReached }
}

export function print({ environment, variants, ratios, earlyShare, isReached }) {
  const { node, cpu, cores, date } = environment
  const rows = Object.entries(variants).map(([name, row]) =>
    [
      name.padEnd(30),
      String(row.roundTrips).padStart(6),
      row.p50ms.toFixed(3).padStart(9),
      row.p90ms.toFixed(3).padStart(9),
      ratios[name].toFixed(2).padStart(9),
    ].join(''),
  )
  const { samples } = variants['quic-0rtt-provisioned']
  return [
    `first request, GET of 100 bytes over loopback, ${samples} fresh connections each, in turns`,
    `Node ${node}, ${cores} × ${cpu}, ${date}`,
    '',
    `${'variant'.padEnd(30)}${'trips'.padStart(6)}${'p50 ms'.padStart(9)}${'p90 ms'.padStart(9)}${'ratio'.padStart(9)}`,
    ...rows,
    '',
    'trips: round trips before the request leaves; ratio: quic-0rtt-provisioned to this one, medians',
    `to tls13-resumed ${ratios['tls13-resumed'].toFixed(2)} (at most ${limits.ratioToTlsResumed}), early data accepted ${(100 * earlyShare).toFixed(1)} % (at least ${100 * limits.earlyShare} %): ${isReached ? 'reached' : 'NOT reached'}`,
  ].join('\n')
}

function progress(share) {
  if (!process.stderr.isTTY) return
  process.stderr.write(share === 1 ? '\r\x1b[K' : `\r\x1b[Kmeasuring ${Math.round(share * 100)} %`)
}
