// What a process and those it started take, of processor and memory: from /proc, where there is one.

import { readFileSync } from 'node:fs'

export interface FunctionUsage {
  /** Thousandths of a processor, since the time before. */
  readonly cpu: number
  readonly totalMemoryBytes: number
}

/** /proc counts time in hundredths of a second, whatever the kernel's own clock (proc(5): USER_HZ). */
const TICK = 10

/** ms between two measurements, at least: a short time has few ticks. */
const FRESH = 500

export class ProcessUsage {
  readonly #pid: number
  #ticks = 0
  #at: number
  #last: FunctionUsage | undefined

  /** `now`: ms; the process has just been started. */
  constructor(pid: number, now: number) {
    this.#pid = pid
    this.#at = now
  }

  /** Undefined: there is no /proc, or no such process. */
  measure(now: number): FunctionUsage | undefined {
    if (this.#last !== undefined && now - this.#at < FRESH) return this.#last
    const found = familyOf(this.#pid)
    if (found === undefined) return undefined
    const { ticks, memory } = found
    const cpu = Math.max(0, (1000 * (ticks - this.#ticks) * TICK) / Math.max(1, now - this.#at))
    this.#ticks = ticks
    this.#at = now
    this.#last = { cpu, totalMemoryBytes: memory }
    return this.#last
  }
}

export function sumOf(usages: readonly (FunctionUsage | undefined)[]): FunctionUsage | undefined {
  const known = usages.filter(each => each !== undefined)
  if (known.length === 0) return undefined
  const cpu = known.reduce((sum, each) => sum + each.cpu, 0)
  return { cpu, totalMemoryBytes: known.reduce((sum, each) => sum + each.totalMemoryBytes, 0) }
}

/** Processes that are looked at: a function may start as many as it likes. */
const MAX_FAMILY = 256

/** Children that have ended count, too: of a function that is a process for each request they are all there is. */
function familyOf(pid: number): { ticks: number; memory: number } | undefined {
  const family = [pid]
  const sum = { ticks: 0, memory: 0 }
  for (let i = 0; i < family.length; i++) {
    const member = family[i] as number
    const found = usageOf(member)
    if (found === undefined && i === 0) return undefined
    sum.ticks += found?.ticks ?? 0
    sum.memory += found?.memory ?? 0
    family.push(...childrenOf(member).slice(0, MAX_FAMILY - family.length))
  }
  return sum
}

/** Undefined: it is gone. */
function usageOf(pid: number): { ticks: number; memory: number } | undefined {
  try {
    // Behind the name, which may have spaces and brackets: state, ppid, ... utime, stime, cutime, cstime.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((total, each) => total + Number(each), 0)
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { ticks, memory: 1024 * Number(kilobytes ?? 0) }
  } catch {
    return undefined
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // Not every kernel has it.
    return []
  }
}
