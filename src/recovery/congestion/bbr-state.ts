// BBR's states and their gains (BBR §4.1.1, §4.6.1).
//
//        ┌── Startup ──► Drain ──► Down ──► Cruise ──► Refill ──► Up ──┐
//        │      ▲                    ▲                                 │
//        │      │                    └─────────────────────────────────┘
//        └──────┴── ProbeRTT ◄── from every state, and back ───────────

export const BbrState = { Startup: 0, Drain: 1, Down: 2, Cruise: 3, Refill: 4, Up: 5, ProbeRtt: 6 } as const
export type BbrState = (typeof BbrState)[keyof typeof BbrState]

/** BBRStartupPacingGain (§2.6), 4 ln 2: the smallest with which the rate doubles each round. */
export const STARTUP_PACING_GAIN = 2.77

/** How much faster than the bandwidth of the model it is sent. */
const PACING_GAINS: readonly number[] = [STARTUP_PACING_GAIN, 0.5, 0.9, 1, 1, 1.25, 1]

/** How often the bandwidth-delay product may be in flight. Up has a little more, or 1.25 could not build a queue. */
const CWND_GAINS: readonly number[] = [2, 2, 2, 2, 2, 2.25, 0.5]

export function pacingGain(state: BbrState): number {
  return PACING_GAINS[state] as number
}

export function cwndGain(state: BbrState): number {
  return CWND_GAINS[state] as number
}

/** IsInAProbeBWState (§4.3.3.6). */
export function isProbingState(state: BbrState): boolean {
  return state >= BbrState.Down && state <= BbrState.Up
}

/** The accelerating states: losses there say what the path holds, and not that it has become narrower. */
export function isAccelerating(state: BbrState): boolean {
  return state === BbrState.Startup || state === BbrState.Refill || state === BbrState.Up
}
