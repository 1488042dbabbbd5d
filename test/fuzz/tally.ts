// What a run has done: frames by type, level and role, and how connections ended.

import { type Level, levelNames } from '../../src/packet/level.ts'
import { errorCodeName } from '../../src/packet/transport-error.ts'
import type { FrameScript } from './frames.ts'

export class Tally {
  frames = 0
  scripts = 0
  readonly kinds: Map<string, number> = new Map()
  readonly ends: Map<string, number> = new Map()

  sent(role: string, level: Level, frames: readonly FrameScript[]): void {
    this.frames += frames.length
    for (const { name } of frames) count(this.kinds, `${role} ${levelNames[level]} ${name}`, 1)
  }

  closed(by: string, isApplication: boolean, code: number): void {
    count(this.ends, by === 'local' && !isApplication ? errorCodeName(code) : `by ${by}`, 1)
  }

  /** Also one that came from a worker, without its class. */
  add(other: Omit<Tally, 'sent' | 'closed' | 'add'>): void {
    this.frames += other.frames
    this.scripts += other.scripts
    for (const [key, times] of other.kinds) count(this.kinds, key, times)
    for (const [key, times] of other.ends) count(this.ends, key, times)
  }
}

function count(map: Map<string, number>, key: string, times: number): void {
  map.set(key, (map.get(key) ?? 0) + times)
}
