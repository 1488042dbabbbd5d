// One after the other: a contact begins when the connection of the one before is closed.

import { inTurns } from '../lib/turns.mjs'
import { variantNames } from './variants.mjs'

/**
 * The first `warmUp` rounds are not counted: by then both processes have compiled their code.
 *
 * @param {import('./variants.mjs').Variants} variants
 * @param {{ samples: number, warmUp: number, names?: readonly string[], onProgress?: (share: number) => void }} options
 */
export async function measure(variants, { names = variantNames, ...turns }) {
  await variants.prepare()
  const contacts = await inTurns(names, turns, name => variants.contact(name))
  return Object.fromEntries(names.map(name => [name, summary(contacts[name])]))
}

/** What is said of one variant; `roundTrips` is the largest that occurred. */
export function summary(contacts) {
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
