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

test('a queue in order takes each turn to its place', () => {
  const queue = new TurnQueue<number>()
  const turns = [0, 4, 8, 12].map(id => new Turn(id, id))
  for (const i of [2, 0, 3, 1]) queue.insert(turns[i] as Turn<number>)
  expect(names(queue)).toEqual([0, 4, 8, 12])
  queue.remove(turns[3] as Turn<number>)
  queue.remove(turns[0] as Turn<number>)
  queue.insert(turns[3] as Turn<number>)
  queue.insert(turns[0] as Turn<number>)
  expect(names(queue)).toEqual([0, 4, 8, 12])
})

test('by urgency; among equals what needs no credit, then in turn', () => {
  const scheduler = new Scheduler<string>()
  const [late, first, second, lost] = ['late', 'first', 'second', 'lost'].map(name => new Turn(name)) as [
    Turn<string>,
    Turn<string>,
    Turn<string>,
    Turn<string>,
  ]
  scheduler.place(late, Due.Fresh, 7, true)
  scheduler.place(first, Due.Fresh, 3, true)
  scheduler.place(second, Due.Fresh, 3, true)
  expect(scheduler.next(true)).toBe('first')
  expect(scheduler.hasFresh).toBe(true)
  expect(scheduler.next(false)).toBe(undefined)
  scheduler.place(lost, Due.Free, 7, true)
  expect(scheduler.next(true)).toBe('first')
  expect(scheduler.next(false)).toBe('lost')
  scheduler.place(lost, Due.Free, 7, false)
  scheduler.place(lost, Due.Nothing, 7, true)
  scheduler.place(lost, Due.Free, 3, true)
  expect(scheduler.next(true)).toBe('lost')
  scheduler.place(lost, Due.Nothing, 3, true)
  scheduler.rotate(first, 3)
  expect(scheduler.next(true)).toBe('second')
  scheduler.place(second, Due.Fresh, 3, true)
  expect(scheduler.next(true)).toBe('second')
  scheduler.place(late, Due.Fresh, 0, true)
  expect(scheduler.next(true)).toBe('late')
  for (const turn of [late, first, second]) scheduler.place(turn, Due.Nothing, 0, true)
  expect(scheduler.hasFresh).toBe(false)
  expect(scheduler.next(true)).toBe(undefined)
  scheduler.rotate(first, 3)
  expect(scheduler.next(true)).toBe(undefined)
})
