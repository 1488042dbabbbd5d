// Takes turns: one contact of each variant, then the next round, so that what disturbs the machine disturbs all alike.
// One after the other: a contact begins when the connection of the one before is closed.

import { variantNames } from './variants.mjs'

/**
 * The first `warmUp` rounds are not counted: by then both processes have compiled their code.
 *
 * @param {import('./variants.mjs').Variants} variants
 * @param {{ samples: number, warmUp: number, names?: readonly string[], onProgress?: (share: number) => void }} options
 */
export async function measure(variants, { samples, warmUp, names = variantNames, onProgress = () => {} }) {
  const contacts = Object.fromEntries(names.map(name => [name, []]))
  await variants.prepare()
  for (let round = -warmUp; round < samples; round++) {
    onProgress((round + warmUp) / (samples + warmUp))
    for (const name of shuffled(names)) {
      const contact = await variants.contact(name)
      if (round >= 0) contacts[name].push(contact)
    }
  }
  onProgress(1)
  return Object.fromEntries(names.map(name => [name, summary(contacts[name])]))
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
