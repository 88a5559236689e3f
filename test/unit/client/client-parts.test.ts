import { describe, expect, it } from 'vitest'
import { buildClientId, localAddress } from '../../../src/client/client-identity.js'
import { parseNamesrvAddresses } from '../../../src/client/client-options.js'
import { WorkerPool } from '../../../src/client/consumer/worker-pool.js'
import { RebalanceLoop } from '../../../src/client/rebalance-loop.js'
import { RequestTable } from '../../../src/client/request-table.js'
import { silentLogger } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { messageAt } from './message-at.js'

describe('client ids', () => {
  it('have the parts of Java', () => {
    expect(buildClientId({ ip: '10.0.0.5', instanceName: '4321#99' })).toBe('10.0.0.5@4321#99')
    expect(buildClientId({ ip: 'i', instanceName: 'n', unitName: 'u', stream: true })).toBe('i@n@u@STREAM')
  })

  it('take a public address, else the last private one, and none of a bridge', () => {
    const v4 = (address: string): never =>
      ({ address, family: 'IPv4', internal: false, netmask: '', mac: '', cidr: null }) as never
    expect(localAddress({ docker0: [v4('172.17.0.1')], eth0: [v4('10.0.0.1')], eth1: [v4('10.0.0.2')] })).toBe(
      '10.0.0.2',
    )
    expect(localAddress({ eth0: [v4('10.0.0.1')], eth1: [v4('8.8.4.4')] })).toBe('8.8.4.4')
    expect(localAddress({})).toBe('127.0.0.1')
  })
})

it('reads NameServer addresses as text or list', () => {
  expect(parseNamesrvAddresses(' a:1 ;b:2;; a:1')).toEqual(['a:1', 'b:2'])
  expect(parseNamesrvAddresses(['a:1'])).toEqual(['a:1'])
})

describe('RebalanceLoop', () => {
  function loopOf(balanced: () => boolean): { clock: ManualClock; loop: RebalanceLoop; runs: number[] } {
    const clock = new ManualClock()
    const runs: number[] = []
    const loop = new RebalanceLoop({
      clock,
      logger: silentLogger,
      run: async () => {
        runs.push(clock.monotonic())
        return balanced()
      },
    })
    loop.start()
    return { clock, loop, runs }
  }

  it('runs every 20 s while balanced', async () => {
    const { clock, runs } = loopOf(() => true)
    await clock.advance(45_000)
    expect(runs).toEqual([20_000, 40_000])
  })

  it('runs again after a second while not balanced', async () => {
    let tries = 0
    const { clock, runs } = loopOf(() => ++tries === 3)
    await clock.advance(25_000)
    expect(runs).toEqual([20_000, 21_000, 22_000])
  })

  it('runs when woken, but not twice within a second', async () => {
    const { clock, loop, runs } = loopOf(() => true)
    loop.wake()
    await clock.advance(0)
    loop.wake()
    loop.wake()
    await clock.advance(1500)
    expect(runs).toEqual([0, 1000])
  })

  it('runs again when woken during a run', async () => {
    const clock = new ManualClock()
    const runs: number[] = []
    const loop: RebalanceLoop = new RebalanceLoop({
      clock,
      logger: silentLogger,
      run: async () => {
        if (runs.push(clock.monotonic()) === 1) loop.wake()
        return true
      },
    })
    loop.start()
    loop.wake()
    await clock.advance(1000)
    expect(runs).toEqual([0, 1000])
  })

  it('survives a failing run and ends when stopped', async () => {
    const { clock, loop, runs } = loopOf(() => {
      throw new Error('no')
    })
    await clock.advance(21_500)
    expect(runs).toEqual([20_000, 21_000])
    await loop.stop()
    loop.wake()
    await clock.advance(60_000)
    expect(runs).toHaveLength(2)
  })
})

describe('RequestTable', () => {
  it('hands a reply to the one who waits for it', async () => {
    const table = new RequestTable(new ManualClock())
    const waiting = table.wait('id', 1000)
    const reply = messageAt(1)
    expect(table.complete('other', reply)).toBe(false)
    expect(table.complete('id', reply)).toBe(true)
    expect(await waiting).toBe(reply)
    expect(table.complete('id', reply)).toBe(false)
  })

  it('gives up with 10006', async () => {
    const clock = new ManualClock()
    const waiting = expect(new RequestTable(clock).wait('id', 1000)).rejects.toMatchObject({ responseCode: 10006 })
    await clock.advance(1000)
    await waiting
  })
})

describe('WorkerPool', () => {
  it('runs at most so many tasks at once, in order', async () => {
    const pool = new WorkerPool(2)
    const started: number[] = []
    const ends: (() => void)[] = []
    for (const i of [0, 1, 2]) {
      pool.run(() => {
        started.push(i)
        return new Promise<void>(resolve => ends.push(resolve))
      })
    }
    expect(started).toEqual([0, 1])
    ends[0]!()
    await new Promise(resolve => setImmediate(resolve))
    expect(started).toEqual([0, 1, 2])
  })

  it('starts nothing once closed, and waits for what runs', async () => {
    const pool = new WorkerPool(1)
    let end = (): void => {}
    const started: number[] = []
    pool.run(() => {
      started.push(0)
      return new Promise<void>(resolve => {
        end = resolve
      })
    })
    pool.run(async () => {
      started.push(1)
    })
    let closed = false
    const closing = pool.close(new ManualClock(), 5000).then(() => {
      closed = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(closed).toBe(false)
    end()
    await closing
    pool.run(async () => {
      started.push(2)
    })
    expect(started).toEqual([0])
  })
})
