import { expect, test } from 'vitest'
import { Due, Scheduler, Turn, TurnQueue } from '../../src/streams/scheduler.ts'

function names<T>(queue: TurnQueue<T>): T[] {
  const found: T[] = []
  for (let turn = queue.first; turn !== undefined; turn = turn.next) found.push(turn.owner)
  return found
}

test('a queue can be left from the front, the middle and the end', () => {
  const queue = new TurnQueue<string>()
  const turns = ['a', 'b', 'c', 'd'].map(name => new Turn(name))
  for (const turn of turns) queue.push(turn)
  expect(names(queue)).toEqual(['a', 'b', 'c', 'd'])
  queue.remove(turns[1] as Turn<string>)
  expect(names(queue)).toEqual(['a', 'c', 'd'])
  queue.remove(turns[3] as Turn<string>)
  queue.push(turns[1] as Turn<string>)
  expect(names(queue)).toEqual(['a', 'c', 'b'])
  queue.push(turns[0] as Turn<string>)
  expect(names(queue)).toEqual(['c', 'b', 'a'])
  queue.remove(turns[3] as Turn<string>)
  for (const turn of turns) queue.remove(turn)
  expect(queue.isEmpty).toBe(true)
  expect(turns.every(turn => turn.queue === undefined && turn.next === undefined)).toBe(true)
})

test('a turn stands in one queue at a time', () => {
  const one = new TurnQueue<string>()
  const two = new TurnQueue<string>()
  const turn = new Turn('a')
  one.push(turn)
  two.push(turn)
  expect(one.isEmpty).toBe(true)
  one.remove(turn)
  expect(names(two)).toEqual(['a'])
})

test('what needs no credit goes first, then by urgency, then in turn', () => {
  const scheduler = new Scheduler<string>()
  const late = new Turn('late')
  const first = new Turn('first')
  const second = new Turn('second')
  const lost = new Turn('lost')
  scheduler.place(late, Due.Fresh, 7)
  scheduler.place(first, Due.Fresh, 3)
  scheduler.place(second, Due.Fresh, 3)
  expect(scheduler.next(true)).toBe('first')
  expect(scheduler.hasFresh).toBe(true)
  expect(scheduler.next(false)).toBe(undefined)
  scheduler.place(lost, Due.Free, 7)
  expect(scheduler.next(true)).toBe('lost')
  expect(scheduler.next(false)).toBe('lost')
  scheduler.place(lost, Due.Nothing, 7)
  scheduler.rotate(first)
  expect(scheduler.next(true)).toBe('second')
  scheduler.place(second, Due.Fresh, 3)
  expect(scheduler.next(true)).toBe('second')
  scheduler.place(late, Due.Fresh, 0)
  expect(scheduler.next(true)).toBe('late')
  for (const turn of [late, first, second]) scheduler.place(turn, Due.Nothing, 0)
  expect(scheduler.hasFresh).toBe(false)
  expect(scheduler.next(true)).toBe(undefined)
  scheduler.rotate(first)
  expect(scheduler.next(true)).toBe(undefined)
})
