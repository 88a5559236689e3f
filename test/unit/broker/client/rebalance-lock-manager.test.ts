import { describe, expect, it } from 'vitest'
import { RebalanceLockManager } from '../../../../src/broker/client/rebalance-lock-manager.js'
import { silentLogger } from '../../../../src/util/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const queues = [0, 1, 2].map(queueId => ({ brokerName: 'b', queueId, topic: 'T' }))

function manager() {
  const clock = new ManualClock()
  return { clock, locks: new RebalanceLockManager({ clock, logger: silentLogger }) }
}

describe('RebalanceLockManager', () => {
  it('grants what nobody else holds, per group', () => {
    const { locks } = manager()
    expect(locks.tryLockBatch('G', queues.slice(0, 2), 'c1')).toEqual(queues.slice(0, 2))
    expect(locks.tryLockBatch('G', [...queues, ...queues], 'c2')).toEqual([queues[2]])
    expect(locks.tryLockBatch('H', queues, 'c2')).toEqual(queues)
    expect(locks.tryLock('G', queues[0]!, 'c1')).toBe(true)
  })

  it('lets a lock expire 60 s after it was last renewed', async () => {
    const { locks, clock } = manager()
    locks.tryLock('G', queues[0]!, 'c1')
    await clock.advance(60_000)
    expect(locks.tryLock('G', queues[0]!, 'c1')).toBe(true)
    await clock.advance(60_000)
    expect(locks.tryLock('G', queues[0]!, 'c2')).toBe(false)
    expect(locks.isLockAllExpired('G')).toBe(false)
    await clock.advance(1)
    expect(locks.isLockAllExpired('G')).toBe(true)
    expect(locks.tryLock('G', queues[0]!, 'c2')).toBe(true)
    expect(locks.tryLock('G', queues[0]!, 'c1')).toBe(false)
  })

  it('gives back only what is one’s own', () => {
    const { locks } = manager()
    locks.tryLockBatch('G', queues.slice(0, 1), 'c1')
    locks.tryLockBatch('G', queues.slice(1, 2), 'c2')
    locks.unlockBatch('G', queues, 'c1')
    locks.unlockBatch('Nobody', queues, 'c1')
    expect(locks.tryLockBatch('G', queues, 'c3')).toEqual([queues[0], queues[2]])
  })

  it('forgets expired locks', async () => {
    const { locks, clock } = manager()
    locks.tryLockBatch('G', queues, 'c1')
    await clock.advance(60_001)
    locks.tryLock('G', queues[0]!, 'c2')
    locks.removeExpired()
    expect(locks.isLockAllExpired('G')).toBe(false)
    await clock.advance(60_001)
    locks.removeExpired()
    expect(locks.isLockAllExpired('G')).toBe(true)
  })
})
