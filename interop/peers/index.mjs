// Every implementation in the matrix, in the order of its rows. README.md says what a peer has to be.

import { zerotrip } from './zerotrip.mjs'

export const peers = [zerotrip]

/** Installed in seconds, so that CI can afford them. */
export const quickPeers = ['zerotrip', 'ngtcp2', 'aioquic']
