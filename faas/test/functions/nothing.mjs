// Not a function.

export const answer = 42
