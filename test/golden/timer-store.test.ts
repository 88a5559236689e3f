import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { decodeMessages } from '../../src/common/index.js'
import { newTimerSlot, newTimerUnit, TimerStore, type TimerUnit } from '../../src/store/index.js'
import { silentLogger, systemDisk } from '../../src/util/index.js'
import { goldenManifest, goldenStore } from '../support/golden.js'
import { goldenStoreManifest } from '../support/golden-manifest.js'
import { ManualClock } from '../support/manual-clock.js'
import { passTime, TimerBroker } from '../support/timer-broker.js'

/** What the manifest says of the timer's files. */
interface GoldenTimer {
  timerCheck: {
    lastReadTimeMs: number
    lastTimerLogFlushPos: number
    lastTimerQueueOffset: number
    masterTimerQueueOffset: number
    stateVersion: number
    dataVersionTimestamp: number
    dataVersionCounter: number
  }
  timerLog: {
    units: {
      position: number
      prevPos: number
      magic: number
      currWriteTimeMs: number
      delayMs: number
      commitLogOffset: number
      recordSize: number
      topicHash: number
    }[]
  }
  timerWheel: { slots: { time: number; firstPos: number; lastPos: number; num: number }[] }
}

const golden = goldenManifest('clean') as GoldenTimer
const { brokerConfig, commitlog, messages } = goldenStoreManifest('clean')
const size = (key: string): number => Number(brokerConfig[key])
const settings = {
  mappedFileSizeCommitLog: size('mappedFileSizeCommitLog'),
  mappedFileSizeConsumeQueue: size('mappedFileSizeConsumeQueue'),
  mapperFileSizeBatchConsumeQueue: size('mapperFileSizeBatchConsumeQueue'),
  mappedFileSizeTimerLog: size('mappedFileSizeTimerLog'),
  maxHashSlotNum: size('maxHashSlotNum'),
  maxIndexNum: size('maxIndexNum'),
}

function openFiles(folder: string): TimerStore {
  return new TimerStore({
    settings: {
      storePathRootDir: folder,
      mappedFileSizeTimerLog: settings.mappedFileSizeTimerLog,
      timerPrecisionMs: 1000,
      timerRollWindowSlot: 172_800,
    },
    disk: systemDisk,
    clock: new ManualClock(golden.timerCheck.lastReadTimeMs),
    logger: silentLogger,
  })
}

describe('the timer files of a Java broker', () => {
  test('are read as the manifest says, and recovery changes nothing', async () => {
    const folder = goldenStore('clean')
    const timer = openFiles(folder)
    const recovery = timer.recover(commitlog.endOffset)
    expect(recovery).toMatchObject({ revisedUnits: 0, cutBytes: expect.any(Number), isLogDamaged: false })
    const units: object[] = []
    const visit = (unit: TimerUnit, position: number): boolean => units.push({ ...unit, position }) > 0
    timer.log.scan(0, visit, newTimerUnit())
    expect(units).toEqual(
      golden.timerLog.units.map(unit => ({
        position: unit.position,
        previous: unit.prevPos,
        magic: unit.magic,
        writeTime: unit.currWriteTimeMs,
        slotTime: unit.currWriteTimeMs + unit.delayMs,
        physicalOffset: unit.commitLogOffset,
        recordSize: unit.recordSize,
        topicHash: unit.topicHash,
      })),
    )
    const slots = Array.from(timer.wheel.slots(newTimerSlot()), ({ time, first, last, num }) => [time, first, last, num])
    const expected = golden.timerWheel.slots.map(slot => [slot.time * 1000, slot.firstPos, slot.lastPos, slot.num])
    expect(slots).toEqual(expected)
    const { timerCheck } = golden
    expect(timer.checkpoint).toMatchObject({
      lastReadTimeMs: timerCheck.lastReadTimeMs,
      lastTimerLogFlushPos: timerCheck.lastTimerLogFlushPos,
      lastTimerQueueOffset: timerCheck.lastTimerQueueOffset,
      masterTimerQueueOffset: timerCheck.masterTimerQueueOffset,
      dataVersion: { stateVersion: 0, timestamp: timerCheck.dataVersionTimestamp, counter: timerCheck.dataVersionCounter },
      marks: [],
      commitLogOffset: -1,
    })
    await timer.close()
  })

  test('are written byte for byte when the same messages come in the same order', async () => {
    const java = goldenStore('clean')
    const ours = goldenStore('rolled')
    const timer = openFiles(ours)
    timer.recover(0)
    for (const unit of golden.timerLog.units) {
      timer.add({
        deliverTime: unit.currWriteTimeMs + unit.delayMs,
        writeTime: unit.currWriteTimeMs,
        isDelete: (unit.magic & 4) !== 0,
        physicalOffset: unit.commitLogOffset,
        size: unit.recordSize,
        topicHash: unit.topicHash,
      })
    }
    await timer.flush(timer.snapshot({ delivered: undefined, hasUncounted: false, commitLogOffset: 0 }))
    await timer.close()
    for (const file of ['timerwheel', 'timerlog/00000000000000000000']) {
      expect(readFileSync(join(ours, file)).equals(readFileSync(join(java, file))), file).toBe(true)
    }
  })
})

let broker: TimerBroker | undefined
afterEach(() => broker?.dispose())

test('a broker that takes the store over delivers what waits, and nothing that was delivered or taken back', async () => {
  const clock = new ManualClock(golden.timerCheck.lastReadTimeMs + 500)
  broker = await TimerBroker.open({ folder: goldenStore('clean'), clock, settings })
  const before = broker.store.maxOffset('StoreDelay', 1)
  expect(JSON.parse(broker.service.metrics.toJson())).toMatchObject({ timingCount: { StoreDelay: { count: 1 } } })
  await passTime(clock, 1_000)
  expect(broker.store.maxOffset('StoreDelay', 1)).toBe(before)
  clock.jump(7_300_000)
  await passTime(clock, 1_000)
  const [delivered, ...others] = (await deliveredTo(broker, 1)).slice(before)
  expect(others).toEqual([])
  const sent = messages.find(({ keys, topic }) => keys === 'timer-1h' && topic === 'rmq_sys_wheel_timer')!
  expect(Object.fromEntries(delivered!.properties)).toEqual({
    ...sent.properties,
    TIMER_ENQUEUE_MS: '1795254327000',
    TIMER_DEQUEUE_MS: String(delivered!.storeTimestamp),
  })
  // the recalled one was for queue 0
  const known = messages.filter(({ topic, queueId }) => topic === 'StoreDelay' && queueId === 0).length
  expect(broker.store.maxOffset('StoreDelay', 0)).toBe(known)
})

async function deliveredTo({ store }: TimerBroker, queueId: number) {
  const result = await store.getMessage({ group: 'g', topic: 'StoreDelay', queueId, offset: 0, maxMsgNums: 32 })
  const found = (result?.slices ?? []).flatMap(slice => decodeMessages(Buffer.from(slice)))
  result?.release()
  return found
}
