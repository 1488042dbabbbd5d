// Early data between functions and their gateway (RFC 8470).

/** By which a gateway tells a caller the policy of a function, where that is not `safe`. */
export const EARLY_DATA_HEADER = 'zerotrip-early-data'
