// What theory says of a flow that loses one datagram in so many (RFC 9438 §4.3, §5.1), and of how flows share.

/** beta_cubic and C, RFC 9438 §4.6, §5.1. */
const BETA = 0.7
const C = 0.4

/** RFC 9438 §4.3: the average window of AIMD(1, 0.5), datagrams, if a share `loss` of them is lost. */
export function renoWindow(loss: number): number {
  const alpha = 1
  const beta = 0.5
  return Math.sqrt((alpha * (1 + beta)) / (2 * (1 - beta) * loss))
}

/** RFC 9438 §5.1: the same of CUBIC where it is not Reno-friendly; `rtt` in ms. */
export function cubicWindow(loss: number, rtt: number): number {
  return ((C * (3 + BETA)) / (4 * (1 - BETA))) ** 0.25 * (rtt / 1000 / loss) ** 0.75
}

/** The share of a link of `rate` bytes per ms that CUBIC uses: whichever window is larger (RFC 9438 §4.3). */
export function expectedUse(path: { rate: number; rtt: number; loss: number; datagramSize: number }): number {
  const { rate, rtt, loss, datagramSize } = path
  const window = Math.max(renoWindow(loss), cubicWindow(loss, rtt))
  return Math.min(1, (window * datagramSize) / (rate * rtt))
}

/** Jain's index. 1: all get the same; 1/n: one gets everything. */
export function jain(shares: readonly number[]): number {
  const sum = shares.reduce((a, b) => a + b, 0)
  const squares = shares.reduce((a, b) => a + b * b, 0)
  return squares === 0 ? 0 : (sum * sum) / (shares.length * squares)
}
