// Takes turns: one of each, then the next round, so that what disturbs the machine disturbs all alike.

/**
 * Resolves with the results of `once(name)` by name. The first `warmUp` rounds are not counted: by then all processes
 * have compiled their code.
 */
export async function inTurns(names, { samples, warmUp, onProgress = () => {} }, once) {
  const results = Object.fromEntries(names.map(name => [name, []]))
  for (let round = -warmUp; round < samples; round++) {
    onProgress((round + warmUp) / (samples + warmUp))
    for (const name of shuffled(names)) {
      const result = await once(name, round)
      if (round >= 0) results[name].push(result)
    }
  }
  onProgress(1)
  return results
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
