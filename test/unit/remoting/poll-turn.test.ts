import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PollTurn } from '../../../src/remoting/index.js'
import { ManualClock } from '../../support/manual-clock.js'

test('what is read behind a slow request has waited for it', () => {
  const clock = new ManualClock()
  const turn = new PollTurn(clock)
  turn.onChunk()
  expect(turn.waitedMs()).toBe(0)
  clock.stall(300)
  turn.onChunk()
  expect(turn.waitedMs()).toBe(300)
  // late already: every request looks
  clock.stall(1)
  expect(turn.waitedMs()).toBe(301)
})

test('requests of one chunk look at the clock now and then', () => {
  const clock = new ManualClock()
  const turn = new PollTurn(clock)
  turn.onChunk()
  clock.stall(300)
  const waits = Array.from({ length: 20 }, () => turn.waitedMs())
  expect(waits.slice(0, 15)).toEqual(Array.from({ length: 15 }, () => 0))
  expect(waits.slice(15)).toEqual(Array.from({ length: 5 }, () => 300))
})

test('time between two turns is nobody’s wait', async () => {
  const clock = new ManualClock()
  const turn = new PollTurn(clock)
  turn.onChunk()
  clock.stall(300)
  turn.onChunk()
  await nextTurn()
  expect(turn.waitedMs()).toBe(0)
  clock.stall(5000)
  turn.onChunk()
  expect(turn.waitedMs()).toBe(0)
})
