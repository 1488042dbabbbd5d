// Takes turns: one contact of each variant, then the next round, so that what disturbs the machine disturbs all alike.

import { variantNames } from './variants.mjs'

/** ms between two contacts: what the end of one connection costs the worker shall not be paid by the next. */
const PAUSE = 1

/**
 * The first `warmUp` rounds are not counted: by then both processes have compiled their code.
 *
 * @param {import('./variants.mjs').Variants} variants
 * @param {{ samples: number, warmUp: number, onProgress?: (share: number) => void }} options
 */
export async function measure(variants, { samples, warmUp, onProgress = () => {} }) {
  const contacts = Object.fromEntries(variantNames.map(name => [name, []]))
  await variants.prepare()
  for (let round = -warmUp; round < samples; round++) {
    onProgress((round + warmUp) / (samples + warmUp))
    for (const name of shuffled(variantNames)) {
      await pause()
      const contact = await variants.contact(name)
      if (round >= 0) contacts[name].push(contact)
    }
  }
  onProgress(1)
  return Object.fromEntries(variantNames.map(name => [name, summary(contacts[name])]))
}

/** Without sleep: a processor that dozed off would be measured waking up. */
async function pause() {
  const end = performance.now() + PAUSE
  while (performance.now() < end) await new Promise(setImmediate)
}

/** Nobody shall always follow the same neighbour. */
function shuffled(names) {
  const order = [...names]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const moved = order[i]
    order[i] = order[j]
    order[j] = moved
  }
  return order
}

/** What is said of one variant; `roundTrips` is the largest that occurred. */
function summary(contacts) {
  const ms = contacts.map(contact => contact.ms).sort((a, b) => a - b)
  return {
    roundTrips: Math.max(...contacts.map(contact => contact.roundTrips)),
    p50ms: quantile(ms, 0.5),
    p90ms: quantile(ms, 0.9),
    samples: contacts.length,
    earlyAccepted: contacts.filter(contact => contact.isEarly).length,
  }
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1)
  const low = sorted[Math.floor(at)]
  const high = sorted[Math.ceil(at)]
  return Number((low + (high - low) * (at - Math.floor(at))).toFixed(3))
}
