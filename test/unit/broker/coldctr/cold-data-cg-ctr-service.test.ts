import { expect, onTestFinished, test } from 'vitest'
import { ColdDataCgCtrService } from '../../../../src/broker/coldctr/cold-data-cg-ctr-service.js'
import type { BrokerSettings } from '../../../../src/broker/settings.js'
import { brokerParts } from '../../../support/broker-parts.js'

const WINDOW = 5000

function service(overrides: Partial<BrokerSettings> = {}) {
  const parts = brokerParts({
    coldDataFlowControlEnable: true,
    cgColdReadThreshold: 100,
    globalColdReadThreshold: 1000,
    ...overrides,
  })
  const reads = new ColdDataCgCtrService(parts)
  reads.start()
  onTestFinished(() => reads.stop())
  return {
    reads,
    isLimited: (group: string): boolean => reads.isCgNeedColdDataFlowCtr(group),
    config: () => Object.fromEntries(reads.info.configTable),
    set: (changes: Partial<BrokerSettings>) => Object.assign(parts.settings, changes),
    clock: parts.clock,
    /** One window in which groups read this much. */
    async window(bytes: Readonly<Record<string, number>>): Promise<void> {
      for (const [group, count] of Object.entries(bytes)) reads.coldAcc(group, count)
      await parts.clock.advance(WINDOW)
    },
  }
}

test('a group is limited from its threshold on, alone, until the window ends', async () => {
  const { reads, isLimited, clock } = service()
  reads.coldAcc('G', 99)
  reads.coldAcc('H', 1)
  expect([isLimited('G'), isLimited('H')]).toEqual([false, false])
  reads.coldAcc('G', 1)
  expect([isLimited('G'), isLimited('H')]).toEqual([true, false])
  await clock.advance(WINDOW - 1)
  expect(isLimited('G')).toBe(true)
  await clock.advance(1)
  expect([isLimited('G'), reads.info.globalAcc, reads.info.runtimeTable.get('G')?.coldAcc]).toEqual([false, 0, 0])
})

test('switched off nobody is limited, and on again at once', () => {
  const { reads, isLimited, set } = service()
  reads.coldAcc('G', 500)
  set({ coldDataFlowControlEnable: false })
  expect(isLimited('G')).toBe(false)
  set({ coldDataFlowControlEnable: true })
  expect(isLimited('G')).toBe(true)
  set({ cgColdReadThreshold: 501 })
  expect(isLimited('G')).toBe(false)
})

test('an operator sets the limit of one group, and takes it away', () => {
  const { reads, isLimited, config } = service()
  reads.addOrUpdateGroupConfig('G', 10)
  reads.coldAcc('G', 10)
  reads.coldAcc('H', 10)
  expect([isLimited('G'), isLimited('H'), config()]).toEqual([true, false, { G: 10 }])
  reads.removeGroupConfig('G')
  expect([isLimited('G'), config()]).toEqual([false, {}])
})

test('what all read together limits each group that reads old data', () => {
  const { reads, isLimited } = service({ cgColdReadThreshold: 900 })
  reads.coldAcc('G', 200)
  reads.coldAcc('H', 799)
  expect([isLimited('G'), isLimited('H')]).toEqual([false, false])
  reads.coldAcc('H', 1)
  expect([isLimited('G'), isLimited('H'), isLimited('Recent')]).toEqual([true, true, false])
})

test('groups of the system do not count', () => {
  const { reads, isLimited } = service()
  reads.coldAcc('TOOLS_CONSUMER', 5000)
  expect([isLimited('TOOLS_CONSUMER'), reads.info.globalAcc, reads.info.runtimeTable.size]).toEqual([false, 0, 0])
})

test('a group that reads nothing old for a minute is forgotten', async () => {
  const { reads, clock } = service()
  const createTimeMills = clock.now()
  reads.coldAcc('G', 1)
  await clock.advance(2000)
  reads.coldAcc('G', 1)
  const lastColdReadTimeMills = clock.now()
  expect(reads.info.runtimeTable.get('G')).toEqual({ coldAcc: 2, createTimeMills, lastColdReadTimeMills })
  await clock.advance(60_000)
  expect(reads.info.runtimeTable.has('G')).toBe(true)
  await clock.advance(WINDOW)
  expect(reads.info.runtimeTable.has('G')).toBe(false)
})

test('the simple strategy gives a busy group half more, and a fifth less when all read too much', async () => {
  const { window, config, reads, isLimited, set } = service({
    coldCtrStrategyEnable: true,
    usePIDColdCtrStrategy: false,
  })
  await window({ G: 99 })
  expect(config()).toEqual({})
  await window({ G: 100 })
  expect(config()).toEqual({ 'G||adaptive': 150 })
  reads.coldAcc('G', 149)
  expect(isLimited('G')).toBe(false)
  reads.coldAcc('G', 1)
  expect(isLimited('G')).toBe(true)
  await window({ H: 900 })
  expect(config()).toEqual({ 'G||adaptive': 120 })
  await window({ G: 1, H: 1000 })
  expect(config()).toEqual({ 'G||adaptive': 100 })
  set({ coldCtrStrategyEnable: false })
  await window({})
  expect(config()).toEqual({})
})

test('a strategy leaves the limit of an operator alone, lowers three at a time, forgets those of groups gone', async () => {
  const { window, config, reads, clock } = service({ coldCtrStrategyEnable: true, usePIDColdCtrStrategy: false })
  reads.addOrUpdateGroupConfig('Fixed', 10)
  await window({ Fixed: 50, A: 100, B: 100, C: 100, D: 100 })
  await window({ D: 150 })
  const adapted = { 'A||adaptive': 150, 'B||adaptive': 150, 'C||adaptive': 150, 'D||adaptive': 225 }
  expect(config()).toEqual({ Fixed: 10, ...adapted })
  await window({ Fixed: 1001 })
  const lowered = { 'A||adaptive': 120, 'B||adaptive': 120, 'D||adaptive': 180 }
  expect(config()).toEqual({ Fixed: 10, ...adapted, ...lowered })
  await clock.advance(65_000)
  expect(config()).toEqual({ Fixed: 10 })
})

test('the PID strategy judges by ten windows', async () => {
  const { window, config } = service({ coldCtrStrategyEnable: true, usePIDColdCtrStrategy: true })
  for (let i = 0; i < 9; i++) await window({ G: 100 })
  expect(config()).toEqual({})
  await window({ G: 100 })
  expect(config()).toEqual({ 'G||adaptive': 150 })
  // 700 below the value nine times, then 2200 above it: one bad window is enough, for it is the latest
  await window({ G: 1, H: 2999 })
  expect(config()).toEqual({ 'G||adaptive': 120 })
})
