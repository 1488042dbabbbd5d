// Takes turns: some handshakes of each kind, then the next round, so that what disturbs the machine disturbs all alike.

/**
 * CPU time of one handshake in µs, for each subject and each round after the first `warmUp`; compiling and collecting
 * garbage count where they happen.
 *
 * @param {Record<string, { count: number, handshake: () => unknown }>} subjects
 * @param {{ samples: number, warmUp: number, onProgress: (share: number) => void, before?: Record<string, () => void> }} options
 * `before`: what is done ahead of a subject's turn and does not count
 * @returns {Promise<Record<string, number[]>>}
 */
export async function measure(subjects, { samples, warmUp, onProgress, before: prepare = {} }) {
  const measured = Object.fromEntries(Object.keys(subjects).map(name => [name, []]))
  for (let round = -warmUp; round < samples; round++) {
    onProgress((round + warmUp) / (samples + warmUp))
    for (const [name, { count, handshake }] of Object.entries(subjects)) {
      prepare[name]?.()
      const before = process.cpuUsage()
      for (let i = 0; i < count; i++) await handshake()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) measured[name].push((user + system) / count)
    }
  }
  onProgress(1)
  return measured
}
