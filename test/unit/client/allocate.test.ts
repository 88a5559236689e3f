import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AllocateStrategy,
  allocateAveragely,
  allocateByCircle,
  allocateByConfig,
  allocateByConsistentHash,
} from '../../../src/client/index.js'
import type { MessageQueue } from '../../../src/common/index.js'

function queuesOf(count: number): MessageQueue[] {
  return Array.from({ length: count }, (_, queueId) => ({ brokerName: 'broker-a', queueId, topic: 'T' }))
}

function shares(strategy: AllocateStrategy, queueCount: number, clientIds: readonly string[]): number[][] {
  const queues = queuesOf(queueCount)
  return clientIds.map(clientId =>
    strategy.allocate({ group: 'G', clientId, queues, clientIds }).map(queue => queue.queueId),
  )
}

describe('allocateAveragely', () => {
  it('gives neighbours, and one more to the first members when it does not come out even', () => {
    expect(shares(allocateAveragely, 8, ['a', 'b', 'c'])).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ])
  })

  it('leaves members without a queue when there are more members than queues', () => {
    expect(shares(allocateAveragely, 4, ['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([[0], [1], [2], [3], [], []])
  })
})

describe('allocateByCircle', () => {
  it('deals the queues out', () => {
    expect(shares(allocateByCircle, 5, ['a', 'b'])).toEqual([
      [0, 2, 4],
      [1, 3],
    ])
  })
})

describe('allocateByConfig', () => {
  it('gives what was configured whoever is there', () => {
    const fixed = queuesOf(2)
    expect(allocateByConfig(fixed).allocate({ group: 'G', clientId: 'x', queues: [], clientIds: [] })).toEqual(fixed)
  })
})

describe('allocateByConsistentHash', () => {
  it('moves only queues to the member that joins', () => {
    const before = shares(allocateByConsistentHash, 64, ['a', 'b', 'c'])
    const after = shares(allocateByConsistentHash, 64, ['a', 'b', 'c', 'd'])
    expect(after[3]!.length).toBeGreaterThan(0)
    for (const i of [0, 1, 2]) expect(before[i]).toEqual(expect.arrayContaining(after[i]!))
  })
})

describe.each([allocateAveragely, allocateByCircle, allocateByConsistentHash])('$name', strategy => {
  it('gives each queue to exactly one member', () => {
    const members = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 12 }).map(ids => ids.sort())
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), members, (count, clientIds) => {
        const all = shares(strategy, count, clientIds)
          .flat()
          .sort((a, b) => a - b)
        expect(all).toEqual(queuesOf(count).map(queue => queue.queueId))
      }),
    )
  })

  it('gives nothing to a client that the broker does not know', () => {
    const queues = queuesOf(4)
    expect(strategy.allocate({ group: 'G', clientId: 'me', queues, clientIds: ['a', 'b'] })).toEqual([])
  })
})
