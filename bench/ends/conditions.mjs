// One pair of ends under several conditions, in blocks: a few rounds under each, then the next block, so that what
// disturbs the machine disturbs all alike.

import { median } from '../lib/statistics.mjs'

/** The bare datagram there and back: what a round trip is. */
export const ROUND_TRIP = 'datagram'
/** Contacts by which the round trip of the link itself is known. */
const CALIBRATION = 200

/** The delay each way with which a datagram and its return take `roundTrip` ms: the link itself takes some of it. */
export async function delayFor(ends, roundTrip) {
  await ends.set({ delay: 0 })
  const contacts = await ends.contacts({ names: [ROUND_TRIP], count: CALIBRATION })
  return Math.max(0, (roundTrip - median(contacts[ROUND_TRIP].map(({ ms }) => ms))) / 2)
}

/**
 * @param {import('./ends.mjs').Ends} ends
 * @param {{ conditions: Record<string, object>, names: readonly string[], blocks: number, count: number, path?: string,
 *   onBlock?: (share: number) => void }} plan
 * @returns for each condition a list of blocks, each with a list of contacts by name
 */
export async function inBlocks(ends, { conditions, names, blocks, count, path, onBlock = () => {} }) {
  const made = Object.fromEntries(Object.keys(conditions).map(name => [name, []]))
  for (let block = 0; block < blocks; block++) {
    for (const [name, condition] of Object.entries(conditions)) {
      await ends.set(condition)
      made[name].push(await ends.contacts({ names, count, path }))
    }
    onBlock((block + 1) / blocks)
  }
  return made
}

/** All milliseconds of one contact under one condition. */
export function millisecondsOf(blocks, name) {
  return blocks.flatMap(block => block[name] ?? []).map(({ ms }) => ms)
}
