// Numbers by chance, as scenarios draw them.

export type Random = () => number

export const between = (random: Random, low: number, high: number): number => low + random() * (high - low)

/** As many small values as large ones. */
export const magnitude = (random: Random, low: number, high: number): number => low * (high / low) ** random()

export const chance = (random: Random, probability: number): boolean => random() < probability
