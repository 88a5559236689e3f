import { beforeEach, describe, expect, it } from 'vitest'
import { ProcessQueue } from '../../../src/client/consumer/process-queue.js'
import type { MessageExt } from '../../../src/common/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { messageAt } from './message-at.js'

let clock: ManualClock
let queue: ProcessQueue
beforeEach(() => {
  clock = new ManualClock()
  queue = new ProcessQueue({ brokerName: 'b', queueId: 0, topic: 'T' }, 0, clock)
})

function put(...offsets: number[]): MessageExt[] {
  const messages = offsets.map(offset => messageAt(offset))
  queue.put(messages)
  return messages
}

function offsets(messages: readonly MessageExt[]): number[] {
  return messages.map(message => message.queueOffset)
}

describe('concurrent consumption', () => {
  it('commits up to the first message that is not done with', () => {
    const [first, second, third] = put(10, 11, 12)
    expect(queue.remove([second!])).toBe(10)
    expect(queue.remove([first!])).toBe(12)
    expect(queue.remove([third!])).toBe(13)
  })

  it('counts messages and bytes once, however often they come', () => {
    put(1, 2)
    put(2, 3)
    expect(queue.count).toBe(3)
    expect(queue.bytes).toBe(3 * messageAt(1).body.length)
    expect(queue.span).toBe(2)
  })

  it('finds the smallest offset of messages that come out of order', () => {
    put(5, 6)
    put(3)
    expect(offsets(queue.head(9))).toEqual([3, 5, 6])
  })
})

describe('ordered consumption', () => {
  it('commits what was taken', () => {
    put(1, 2, 3)
    expect(offsets(queue.take(2))).toEqual([1, 2])
    expect(queue.commit()).toBe(3)
    expect(offsets(queue.take(2))).toEqual([3])
  })

  it('offers messages that were put back first', () => {
    put(1, 2, 3)
    const taken = queue.take(1)
    queue.putBackSome(taken)
    expect(offsets(queue.take(3))).toEqual([1, 2, 3])
    queue.putBack()
    put(4)
    expect(offsets(queue.take(4))).toEqual([1, 2, 3, 4])
  })

  it('does not take a message twice that is pulled again while it is handled', () => {
    put(1)
    queue.take(1)
    put(1, 2)
    expect(offsets(queue.take(2))).toEqual([2])
  })
})

it('stops waiting when it is dropped', async () => {
  let over = false
  const waiting = queue.wait(60_000).then(() => {
    over = true
  })
  queue.drop()
  await waiting
  expect(over).toBe(true)
})

it('expires its lock after 30 s and its pull after 120 s', async () => {
  await clock.advance(30_000)
  expect(queue.isLockExpired).toBe(false)
  await clock.advance(1)
  expect(queue.isLockExpired).toBe(true)
  expect(queue.isPullExpired).toBe(false)
  await clock.advance(90_000)
  expect(queue.isPullExpired).toBe(true)
})
