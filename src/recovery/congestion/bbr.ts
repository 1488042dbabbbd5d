// BBR (draft-cardwell-iccrg-bbr-congestion-control, cited as BBR): the state machine. It probes for bandwidth as BBRv3
// does, until bandwidth no longer grows, and has no bw_hi; section numbers are those of version 02.

import type { SentPacket } from '../sent-packets.ts'
import { BbrControl } from './bbr-control.ts'
import { BbrModel, BETA, isInflightTooHigh, LOSS_THRESHOLD } from './bbr-model.ts'
import { BbrState, isAccelerating, isProbingState } from './bbr-state.ts'
import type { CongestionController, RateController } from './controller.ts'
import { DeliveryRate, type RateSample } from './delivery-rate.ts'
import { FullPipe } from './full-pipe.ts'

/** §4.3.1.3: losses in one round trip, neighbours counted once, that end Startup. */
const STARTUP_LOSS_EVENTS = 6

/** §2.14.2: ProbeRTTDuration, ms. */
const PROBE_RTT_DURATION = 200

/** §4.3.3.5.3: ms between two probes for bandwidth, at least, and at random more. */
const PROBE_WAIT = 2000
const PROBE_WAIT_SPREAD = 1000

/** §4.3.3.5.3: where Reno would have had its turn, sooner; round trips. */
const MAX_RENO_ROUNDS = 63

/** §2.6: a window with no room for this many datagrams counts as used in full. */
const FULL_WINDOW_SLACK = 3

/** BBR.ack_phase: which part of a probe for bandwidth the ACKs of now tell of. */
const AckPhase = { None: 0, Starting: 1, Feedback: 2, Stopping: 3, Refilling: 4 } as const
type AckPhase = (typeof AckPhase)[keyof typeof AckPhase]

const NONE: number = Number.NEGATIVE_INFINITY

export class Bbr implements RateController {
  readonly slowStartThreshold: number = Number.POSITIVE_INFINITY
  #state: BbrState = BbrState.Startup
  readonly #rate = new DeliveryRate()
  readonly #model = new BbrModel(this.#rate)
  readonly #control: BbrControl
  readonly #pipe = new FullPipe()
  #ackPhase: AckPhase = AckPhase.None
  /** BBR.bw_probe_samples: losses may still say that this probe went too far. */
  #isProbeOpen = false
  /** BBR.cycle_stamp. */
  #phaseStartedAt = 0
  #probeWait = 0
  /** BBR.bw_probe_up_rounds, probe_up_cnt and bw_probe_up_acks: how inflight_hi grows. */
  #upRounds = 0
  #upBytes = Number.POSITIVE_INFINITY
  #upAcked = 0
  #idleRestart = false
  /** BBR.probe_rtt_done_stamp; NONE until little enough is in flight. */
  #probeRttDoneAt = NONE
  #isProbeRttRoundDone = false
  /** is_cwnd_limited: in this round trip, and in the one before. */
  #isWindowFull = false
  #wasWindowFull = false
  #recoveryStart = NONE
  #lastLost = -1
  #hadLossRound = false
  /** What losses took, in case they were none. */
  readonly #undo = { window: 0, bandwidthLow: 0, inflightLow: 0, inflightHigh: 0 }

  constructor(maxDatagramSize: number) {
    this.#control = new BbrControl(maxDatagramSize, this.#model, this.#rate)
  }

  get state(): BbrState {
    return this.#state
  }

  get window(): number {
    return this.#control.window
  }

  get pacingRate(): number {
    return this.#control.pacingRate
  }

  get isInSlowStart(): boolean {
    return this.#state === BbrState.Startup
  }

  // The packets themselves are seen instead.
  onPacketSent(): void {}
  onPacketAcked(): void {}
  onApplicationLimited(): void {}

  /** BBROnTransmit (§4.2.2). */
  onSent(packet: SentPacket, bytesInFlight: number): void {
    if (bytesInFlight === 0 && this.#rate.isAppLimited) this.#onRestart(packet.sentAt)
    this.#rate.onSent(packet, bytesInFlight)
    const slack = FULL_WINDOW_SLACK * this.#control.maxDatagramSize
    if (bytesInFlight + packet.size + slack > this.window) this.#isWindowFull = true
  }

  onAcked(packet: SentPacket, now: number): void {
    this.#rate.onAcked(packet, now)
  }

  /** BBRUpdateOnLoss (§4.2.4). */
  onLost(packet: SentPacket, now: number): void {
    this.#rate.onLost(packet)
    this.#model.onLoss(packet.number === this.#lastLost + 1)
    this.#lastLost = packet.number
    this.#onProbeLost(packet, now)
  }

  /** BBRUpdateOnACK (§4.2.3). */
  onAckEnd(bytesInFlight: number, now: number): void {
    const sample = this.#rate.finish(this.#model.minRtt)
    if (sample.priorDelivered >= 0) {
      this.#updateModelAndState(sample, bytesInFlight, now)
      this.#control.update(this.#state, sample)
    }
    this.#rate.clear()
  }

  /** Losses change the model as they are seen; an epoch is begun only for those who count, and for the undo. */
  onCongestionEvent(sentAt: number, now: number): boolean {
    if (sentAt <= this.#recoveryStart) return false
    this.#recoveryStart = now
    const model = this.#model
    this.#undo.window = this.window
    this.#undo.bandwidthLow = model.bandwidthLow
    this.#undo.inflightLow = model.inflightLow
    this.#undo.inflightHigh = model.inflightHigh
    return true
  }

  onSpuriousCongestion(): void {
    const model = this.#model
    model.bandwidthLow = Math.max(model.bandwidthLow, this.#undo.bandwidthLow)
    model.inflightLow = Math.max(model.inflightLow, this.#undo.inflightLow)
    model.inflightHigh = Math.max(model.inflightHigh, this.#undo.inflightHigh)
    if (this.#state !== BbrState.ProbeRtt) this.#control.window = Math.max(this.window, this.#undo.window)
  }

  onPersistentCongestion(): void {
    this.#control.onPersistentCongestion()
    this.#recoveryStart = NONE
  }

  onSendingStopped(bytesInFlight: number): void {
    this.#rate.onSendingStopped(bytesInFlight)
  }

  setMaxDatagramSize(size: number): void {
    this.#control.setMaxDatagramSize(size)
  }

  /** BBRUpdateModelAndState. */
  #updateModelAndState(sample: RateSample, bytesInFlight: number, now: number): void {
    const model = this.#model
    model.update(sample, this.window, isAccelerating(this.#state), now)
    if (model.isRoundStart) this.#onRound()
    this.#pipe.update(sample, model.isRoundStart)
    if (this.#state === BbrState.Startup) this.#checkStartupDone(sample)
    if (this.#state === BbrState.Drain && bytesInFlight <= this.#control.inflight(1)) this.#startDown(now)
    if (this.#pipe.isFilled) this.#updateProbing(sample, bytesInFlight, now)
    model.updateMinRtt(sample.rtt, now)
    this.#checkProbeRtt(sample, bytesInFlight, now)
    model.advanceLatest(sample)
  }

  #onRound(): void {
    this.#wasWindowFull = this.#isWindowFull
    this.#isWindowFull = false
  }

  /** BBRCheckStartupDone (§4.3.1). */
  #checkStartupDone(sample: RateSample): void {
    this.#checkStartupLoss(sample)
    if (!this.#pipe.isFilled) return
    this.#control.hasFilledPipe = true
    this.#state = BbrState.Drain
  }

  /** BBRCheckStartupHighLoss (§4.3.1.3): lasting losses, and too many of them. */
  #checkStartupLoss(sample: RateSample): void {
    const model = this.#model
    if (!model.isLossRoundStart) return
    const isHigh = model.lossEvents >= STARTUP_LOSS_EVENTS && isInflightTooHigh(sample.lost, sample.inFlight)
    if (isHigh && this.#hadLossRound) {
      this.#pipe.isFilled = true
      model.inflightHigh = Math.max(model.bdp, model.inflightLatest)
    }
    this.#hadLossRound = model.lossEvents > 0
  }

  /** BBRUpdateProbeBWCyclePhase (§4.3.3.6). */
  #updateProbing(sample: RateSample, bytesInFlight: number, now: number): void {
    this.#adaptUpperBounds(sample, now)
    switch (this.#state) {
      case BbrState.Down:
        if (this.#isTimeToProbe(now)) this.#startRefill()
        else if (this.#hasDrained(bytesInFlight)) this.#state = BbrState.Cruise
        break
      case BbrState.Cruise:
        if (this.#isTimeToProbe(now)) this.#startRefill()
        break
      case BbrState.Refill:
        if (this.#model.isRoundStart) this.#startUp(sample, now)
        break
      case BbrState.Up:
        if (this.#isTimeToGoDown(sample)) this.#startDown(now)
        break
    }
  }

  #startDown(now: number): void {
    this.#model.resetSignals()
    this.#upBytes = Number.POSITIVE_INFINITY
    this.#pickProbeWait(now)
    this.#phaseStartedAt = now
    this.#ackPhase = AckPhase.Stopping
    this.#model.startRound()
    this.#state = BbrState.Down
  }

  #startRefill(): void {
    this.#model.resetLowerBounds()
    this.#upRounds = 0
    this.#upAcked = 0
    this.#ackPhase = AckPhase.Refilling
    this.#model.startRound()
    this.#state = BbrState.Refill
  }

  #startUp(sample: RateSample, now: number): void {
    this.#isProbeOpen = true
    this.#ackPhase = AckPhase.Starting
    this.#model.startRound()
    this.#pipe.restart(sample.rate)
    this.#phaseStartedAt = now
    this.#state = BbrState.Up
    this.#raiseSlope()
  }

  /** BBRIsTimeToProbeBW. */
  #isTimeToProbe(now: number): boolean {
    const renoRounds = Math.min(this.#control.targetInflight / this.#control.maxDatagramSize, MAX_RENO_ROUNDS)
    return now > this.#phaseStartedAt + this.#probeWait || this.#model.roundsSinceProbe >= renoRounds
  }

  /** BBRCheckTimeToCruise. */
  #hasDrained(bytesInFlight: number): boolean {
    const { minPipe } = this.#control
    return bytesInFlight <= this.#model.inflightWithHeadroom(minPipe) && bytesInFlight <= this.#control.inflight(1)
  }

  /** Up lasts as long as bandwidth grows, or the window keeps it from growing. */
  #isTimeToGoDown(sample: RateSample): boolean {
    if ((this.#isWindowFull || this.#wasWindowFull) && this.window >= this.#model.inflightHigh) {
      this.#pipe.restart(sample.rate)
      return false
    }
    return this.#pipe.isFullNow
  }

  /** BBRPickProbeWait. Not secret, only different from flow to flow: the fraction of a mixed-up time. */
  #pickProbeWait(now: number): void {
    const mixed = Math.sin(now + this.#rate.delivered) * 10_000
    const fraction = mixed - Math.floor(mixed)
    this.#model.roundsSinceProbe = fraction < 0.5 ? 0 : 1
    this.#probeWait = PROBE_WAIT + PROBE_WAIT_SPREAD * fraction
  }

  /** BBRAdaptUpperBounds. */
  #adaptUpperBounds(sample: RateSample, now: number): void {
    const model = this.#model
    if (model.isRoundStart && this.#ackPhase === AckPhase.Starting) this.#ackPhase = AckPhase.Feedback
    if (model.isRoundStart && this.#ackPhase === AckPhase.Stopping) {
      this.#ackPhase = AckPhase.None
      this.#isProbeOpen = false
      if (isProbingState(this.#state) && !sample.isAppLimited) model.advanceBandwidths()
    }
    if (isInflightTooHigh(sample.lost, sample.inFlight)) {
      if (this.#isProbeOpen) this.#onInflightTooHigh(sample.inFlight, sample.isAppLimited, now)
      return
    }
    if (model.inflightHigh === Number.POSITIVE_INFINITY) return
    if (sample.inFlight > model.inflightHigh) model.inflightHigh = sample.inFlight
    if (this.#state === BbrState.Up) this.#raiseInflightHigh(sample)
  }

  /** BBRProbeInflightHiUpward: by 1, 2, 4 ... datagrams per round trip. */
  #raiseInflightHigh(sample: RateSample): void {
    const model = this.#model
    const isLimited = this.#isWindowFull || this.#wasWindowFull
    if (!isLimited || this.window < model.inflightHigh) return
    this.#upAcked += sample.newlyAcked
    if (this.#upAcked >= this.#upBytes) {
      const steps = Math.floor(this.#upAcked / this.#upBytes)
      this.#upAcked -= steps * this.#upBytes
      model.inflightHigh += steps * this.#control.maxDatagramSize
    }
    if (model.isRoundStart) this.#raiseSlope()
  }

  /** BBRRaiseInflightHiSlope: `#upBytes` must be acknowledged for each datagram more. */
  #raiseSlope(): void {
    const growth = 2 ** this.#upRounds
    this.#upRounds = Math.min(this.#upRounds + 1, 30)
    this.#upBytes = Math.max(this.window / growth, 1)
  }

  /** BBRHandleLostPacket (§4.5.6.2). */
  #onProbeLost(packet: SentPacket, now: number): void {
    const snapshot = packet.snapshot
    if (!this.#isProbeOpen || snapshot === undefined) return
    const lost = this.#rate.lost - snapshot.lost
    if (!isInflightTooHigh(lost, snapshot.inFlight)) return
    // BBRInflightHiFromLostPacket: where within this packet losses became too many.
    const before = snapshot.inFlight - packet.size
    const prefix = (LOSS_THRESHOLD * before - (lost - packet.size)) / (1 - LOSS_THRESHOLD)
    this.#onInflightTooHigh(before + Math.max(prefix, 0), snapshot.isAppLimited, now)
  }

  /** BBRHandleInflightTooHigh: once per probe. */
  #onInflightTooHigh(inFlight: number, isAppLimited: boolean, now: number): void {
    this.#isProbeOpen = false
    if (!isAppLimited) this.#model.inflightHigh = Math.max(inFlight, this.#control.targetInflight * BETA)
    if (this.#state === BbrState.Up) this.#startDown(now)
  }

  /** BBRCheckProbeRTT (§4.3.4.4). */
  #checkProbeRtt(sample: RateSample, bytesInFlight: number, now: number): void {
    if (this.#state !== BbrState.ProbeRtt && this.#model.isProbeRttExpired && !this.#idleRestart) {
      this.#control.saveWindow()
      this.#state = BbrState.ProbeRtt
      this.#probeRttDoneAt = NONE
      this.#ackPhase = AckPhase.Stopping
      this.#model.startRound()
    }
    if (this.#state === BbrState.ProbeRtt) this.#stayInProbeRtt(bytesInFlight, now)
    if (sample.delivered > 0) this.#idleRestart = false
  }

  /** BBRHandleProbeRTT: long enough, and a round trip, with little in flight. */
  #stayInProbeRtt(bytesInFlight: number, now: number): void {
    this.#rate.onSendingStopped(bytesInFlight)
    if (this.#probeRttDoneAt !== NONE) {
      if (this.#model.isRoundStart) this.#isProbeRttRoundDone = true
      if (this.#isProbeRttRoundDone) this.#checkProbeRttDone(now)
    } else if (bytesInFlight <= this.#control.probeRttWindow) {
      this.#probeRttDoneAt = now + PROBE_RTT_DURATION
      this.#isProbeRttRoundDone = false
      this.#model.startRound()
    }
  }

  /** BBRCheckProbeRTTDone, BBRExitProbeRTT. */
  #checkProbeRttDone(now: number): void {
    if (this.#probeRttDoneAt === NONE || now <= this.#probeRttDoneAt) return
    this.#model.probeRttMinAt = now
    this.#control.restoreWindow()
    this.#model.resetLowerBounds()
    if (this.#pipe.isFilled) {
      this.#startDown(now)
      this.#state = BbrState.Cruise
    } else this.#state = BbrState.Startup
  }

  /** BBRHandleRestartFromIdle (§4.4.3). */
  #onRestart(now: number): void {
    this.#idleRestart = true
    this.#model.onRestart(now)
    if (isProbingState(this.#state)) this.#control.setPacingGain(1)
    else if (this.#state === BbrState.ProbeRtt) this.#checkProbeRttDone(now)
  }
}

/** Models the path instead of waiting for losses. For paths that lose packets at random, or have long queues. */
export function bbr(maxDatagramSize: number): CongestionController {
  return new Bbr(maxDatagramSize)
}
