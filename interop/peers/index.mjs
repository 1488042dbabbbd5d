// Every implementation in the matrix, in the order of its rows. README.md says what a peer has to be.

import { aioquic } from './aioquic.mjs'
import { chromium } from './chromium.mjs'
import { curl } from './curl.mjs'
import { nginx } from './nginx.mjs'
import { newerNgtcp2, ngtcp2 } from './ngtcp2.mjs'
import { quicGo } from './quic-go.mjs'
import { quiche } from './quiche.mjs'
import { quinn } from './quinn.mjs'
import { s2nQuic } from './s2n-quic.mjs'
import { webtransportGo } from './webtransport-go.mjs'
import { zerotrip } from './zerotrip.mjs'

export const peers = [
  ...[zerotrip, ngtcp2, newerNgtcp2, quicGo, aioquic, quinn, s2nQuic, quiche, nginx, curl, chromium],
  webtransportGo,
]

/** Installed in seconds, so that CI can afford them. */
export const quickPeers = ['zerotrip', 'ngtcp2', 'aioquic']
