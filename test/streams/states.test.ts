import { expect, test } from 'vitest'
import {
  isReceiveDone,
  isReceiving,
  nextReceiveState,
  ReceiveEvent,
  ReceiveState,
} from '../../src/streams/receive-state.ts'
import { isSendDone, isSending, nextSendState, SendEvent, SendState } from '../../src/streams/send-state.ts'

type Name<T> = Extract<keyof T, string>

/** The edges of the drawing; whatever is not listed leaves the state as it is. */
const receiveEdges: [Name<typeof ReceiveState>, Name<typeof ReceiveEvent>, Name<typeof ReceiveState>][] = [
  ['Recv', 'Fin', 'SizeKnown'],
  ['Recv', 'Reset', 'ResetRecvd'],
  ['SizeKnown', 'AllData', 'DataRecvd'],
  ['SizeKnown', 'Reset', 'ResetRecvd'],
  ['DataRecvd', 'AppReadAll', 'DataRead'],
  ['ResetRecvd', 'AppReadReset', 'ResetRead'],
]

const sendEdges: [Name<typeof SendState>, Name<typeof SendEvent>, Name<typeof SendState>][] = [
  ['Ready', 'Stream', 'Send'],
  // "a single event can cause a transition through multiple states"
  ['Ready', 'Fin', 'DataSent'],
  ['Ready', 'Reset', 'ResetSent'],
  ['Send', 'Fin', 'DataSent'],
  ['Send', 'Reset', 'ResetSent'],
  ['DataSent', 'Reset', 'ResetSent'],
  ['DataSent', 'AllAcked', 'DataRecvd'],
  ['ResetSent', 'ResetAcked', 'ResetRecvd'],
]

function namesOf<T extends object>(table: T): Name<T>[] {
  return Object.keys(table) as Name<T>[]
}

test('RFC 9000 §3.2: every event in every receiving state', () => {
  for (const state of namesOf(ReceiveState)) {
    for (const event of namesOf(ReceiveEvent)) {
      const edge = receiveEdges.find(([from, on]) => from === state && on === event)
      const next = nextReceiveState(ReceiveState[state], ReceiveEvent[event])
      expect(next, `${state} on ${event}`).toBe(ReceiveState[edge?.[2] ?? state])
    }
  }
})

test('RFC 9000 §3.1: every event in every sending state', () => {
  for (const state of namesOf(SendState)) {
    for (const event of namesOf(SendEvent)) {
      const edge = sendEdges.find(([from, on]) => from === state && on === event)
      const next = nextSendState(SendState[state], SendEvent[event])
      expect(next, `${state} on ${event}`).toBe(SendState[edge?.[2] ?? state])
    }
  }
})

test('RFC 9000 §3.1-2: terminal states have no edge out', () => {
  for (const state of namesOf(ReceiveState)) {
    expect(isReceiveDone(ReceiveState[state])).toBe(state === 'DataRead' || state === 'ResetRead')
    expect(isReceiving(ReceiveState[state])).toBe(state === 'Recv' || state === 'SizeKnown')
  }
  for (const state of namesOf(SendState)) {
    expect(isSendDone(SendState[state])).toBe(state === 'DataRecvd' || state === 'ResetRecvd')
    expect(isSending(SendState[state])).toBe(state === 'Ready' || state === 'Send' || state === 'DataSent')
  }
})
