import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  NO_POSITION,
  newTimerSlot,
  newTimerUnit,
  TimerStore,
  type TimerStoreSettings,
  WHEEL_FILE_SIZE,
} from '../../../../src/store/index.js'
import { silentLogger, systemDisk } from '../../../../src/util/index.js'
import { FaultyDisk } from '../../../support/faulty-disk.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { scratchFolder } from '../../../support/store.js'

const START = 1_795_254_327_000
const FILE_SIZE = 192
const COMMIT_LOG_END = 1_000_000

function create(folder: string, settings: Partial<TimerStoreSettings> = {}, disk = systemDisk): TimerStore {
  return new TimerStore({
    settings: {
      storePathRootDir: folder,
      mappedFileSizeTimerLog: FILE_SIZE,
      timerPrecisionMs: 1000,
      timerRollWindowSlot: 172_800,
      ...settings,
    },
    disk,
    clock: new ManualClock(START),
    logger: silentLogger,
  })
}

function open(folder = scratchFolder(), settings: Partial<TimerStoreSettings> = {}) {
  const timer = create(folder, settings)
  const recovery = timer.recover(COMMIT_LOG_END)
  return { folder, timer, recovery }
}

const record = (more: Partial<Parameters<TimerStore['add']>[0]> = {}) => ({
  deliverTime: START + 5000,
  writeTime: START,
  isDelete: false,
  physicalOffset: 0,
  size: 183,
  topicHash: 0xa42,
  ...more,
})

async function flush(timer: TimerStore): Promise<void> {
  await timer.flush(timer.snapshot({ delivered: undefined, hasUncounted: false, commitLogOffset: 0 }))
}

function chainAt(timer: TimerStore, time: number): number[] {
  const slot = newTimerSlot()
  const unit = newTimerUnit()
  const positions: number[] = []
  if (!timer.wheel.get(time, slot)) return positions
  for (let at = slot.last; at !== NO_POSITION && timer.log.read(at, unit); at = unit.previous) positions.push(at)
  return positions
}

describe('timer log and wheel', () => {
  test('hold the bytes of the reference: a chain, a blank at the end of a file, a marker, a rolled message', async () => {
    const { folder, timer } = open()
    for (const physicalOffset of [0, 183, 366]) timer.add(record({ physicalOffset }))
    timer.add(record({ physicalOffset: 549, isDelete: true }))
    timer.add(record({ physicalOffset: 732, deliverTime: START + 2 * 86_400_000 }))
    await flush(timer)
    const first = readFileSync(join(folder, 'timerlog', '00000000000000000000')).toString('hex')
    expect(first.slice(0, 104)).toMatch(
      /^00000034ffffffffffffffff00000001.{16}000013880000000000000000000000b700000a420{16}$/,
    )
    expect(first.slice(104, 208)).toMatch(
      /^00000034000000000000000000000001.{16}0000138800000000000000b7000000b700000a42/,
    )
    expect(first.slice(208, 312)).toMatch(/^00000034000000000000003400000001/)
    expect(first.slice(312, 344)).toBe('000000240000000000000000cbd43194')
    const second = readFileSync(join(folder, 'timerlog', '00000000000000000192')).toString('hex')
    expect(second.slice(0, 32)).toBe('00000034000000000000006800000005')
    // a day ahead: half of the window, for the excess is less than a third of it
    expect(second.slice(104, 160)).toMatch(/^00000034ffffffffffffffff00000003.{16}05265c00$/)
    const slotAt = ((START + 5000) / 1000) % 1_209_600
    const wheel = readFileSync(join(folder, 'timerwheel'))
    expect(wheel.length).toBe(WHEEL_FILE_SIZE)
    const slot = wheel.subarray(slotAt * 32, slotAt * 32 + 32)
    expect(slot.readBigInt64BE(0)).toBe(BigInt((START + 5000) / 1000))
    expect(slot.subarray(8).toString('hex')).toBe('000000000000000000000000000000c00000000200000000')
    await timer.close()
  })

  test('rolls: beyond the window by less than a third of it, half the window; by more, all of it', () => {
    const { timer } = open(undefined, { timerRollWindowSlot: 60 })
    const unit = newTimerUnit()
    for (const [delay, expected, magic] of [
      [59_000, 59_000, 1],
      [60_000, 30_000, 3],
      [79_000, 30_000, 3],
      [80_000, 60_000, 3],
      [900_000, 60_000, 3],
    ] as const) {
      timer.add(record({ deliverTime: START + delay }))
      timer.log.read(timer.log.lastUnitPosition()!, unit)
      expect([delay, unit.slotTime - START, unit.magic]).toEqual([delay, expected, magic])
    }
  })

  test('a slot of another round counts as empty, and is taken over', () => {
    const { timer } = open()
    timer.add(record())
    const later = START + 5000 + 14 * 86_400_000
    expect(timer.wheel.numAt(later)).toBe(0)
    timer.add(record({ deliverTime: later, writeTime: later - 1000 }))
    expect(timer.wheel.numAt(later)).toBe(1)
    expect(timer.wheel.numAt(START + 5000)).toBe(0)
  })

  test('only pages that changed are written', async () => {
    const { folder, timer } = open()
    timer.add(record())
    await flush(timer)
    const blocks = statSync(join(folder, 'timerwheel')).blocks
    expect(blocks * 512).toBeLessThanOrEqual(64 * 1024)
    expect(timer.wheel.takeChanges().size).toBe(0)
    await timer.close()
  })
})

describe('recovery', () => {
  test('after a clean stop everything is where it was', async () => {
    const { folder, timer } = open()
    for (let i = 0; i < 8; i++) timer.add(record({ physicalOffset: i * 183 }))
    const chain = chainAt(timer, START + 5000)
    timer.readTime = START + 1000
    timer.queueOffset = 8
    await flush(timer)
    await timer.close()
    const again = open(folder)
    expect(again.recovery).toMatchObject({ revisedUnits: 0, isLogDamaged: false })
    expect(again.recovery.uncounted.size).toBe(0)
    expect(again.recovery.lastUnit?.physicalOffset).toBe(7 * 183)
    expect(chainAt(again.timer, START + 5000)).toEqual(chain)
    expect(again.timer.readTime).toBe(START + 1000)
    expect(again.timer.checkpoint.lastTimerQueueOffset).toBe(8)
  })

  test('units that the wheel on the disk does not know are entered again, and told as uncounted', async () => {
    const { folder, timer } = open()
    timer.add(record())
    await flush(timer)
    for (let i = 1; i < 8; i++) timer.add(record({ physicalOffset: i * 183 }))
    await timer.log.flush()
    const chain = chainAt(timer, START + 5000)
    const again = open(folder)
    expect(again.recovery.revisedUnits).toBe(7)
    expect([...again.recovery.uncounted]).toEqual([1, 2, 3, 4, 5, 6, 7].map(i => i * 183))
    expect(chainAt(again.timer, START + 5000)).toEqual(chain)
    expect(again.timer.wheel.numAt(START + 5000)).toBe(8)
  })

  test('units of records that the commit log does not have are cut off, and slots that point to them are built again', async () => {
    const { folder, timer } = open()
    for (let i = 0; i < 5; i++) timer.add(record({ physicalOffset: i * 183 }))
    timer.add(record({ physicalOffset: COMMIT_LOG_END - 1 }))
    await flush(timer)
    await timer.close()
    const again = open(folder)
    expect(again.recovery).toMatchObject({ isLogDamaged: true, lastUnit: { physicalOffset: 4 * 183 } })
    expect(chainAt(again.timer, START + 5000)).toHaveLength(5)
    expect(again.timer.wheel.numAt(START + 5000)).toBe(5)
    again.timer.add(record({ physicalOffset: 5 * 183 }))
    expect(chainAt(again.timer, START + 5000)).toHaveLength(6)
  })

  test('a torn unit ends the log', async () => {
    const { folder, timer } = open()
    for (let i = 0; i < 3; i++) timer.add(record({ physicalOffset: i * 183 }))
    await flush(timer)
    await timer.close()
    const path = join(folder, 'timerlog', '00000000000000000000')
    const bytes = readFileSync(path)
    bytes.fill(0, 104 + 20, 156)
    writeFileSync(path, bytes)
    const again = open(folder)
    expect(again.recovery).toMatchObject({ isLogDamaged: true, lastUnit: { physicalOffset: 183 } })
    expect(chainAt(again.timer, START + 5000)).toEqual([52, 0])
  })

  test('a wheel that is gone is built from the whole log', async () => {
    const { folder, timer } = open()
    for (let i = 0; i < 20; i++) timer.add(record({ deliverTime: START + i * 1000, physicalOffset: i * 183 }))
    await flush(timer)
    await timer.close()
    truncateSync(join(folder, 'timerwheel'), 0)
    const again = open(folder)
    expect(again.recovery.revisedUnits).toBe(20)
  })

  test('a wheel of another length, or of another precision, ends the start with a text that says what to do', async () => {
    const { folder, timer } = open()
    timer.add(record())
    await flush(timer)
    await timer.close()
    expect(() => open(folder, { timerPrecisionMs: 100 })).toThrow(/put there with 1000: set timerPrecisionMs=1000/)
    truncateSync(join(folder, 'timerwheel'), 4096)
    expect(() => open(folder)).toThrow(/timerwheel has 4096 bytes and not 38707200: restore it, or remove it/)
  })

  test('log files go when the commit log has lost what their newest unit points to; the last one stays', () => {
    const { timer } = open()
    for (let i = 0; i < 10; i++) timer.add(record({ physicalOffset: i * 183 }))
    expect(timer.deleteObsolete(2 * 183)).toBe(0)
    expect(timer.deleteObsolete(6 * 183)).toBe(2)
    expect(timer.log.minOffset).toBe(2 * FILE_SIZE)
    expect(timer.deleteObsolete(1_000_000)).toBe(1)
    expect(timer.log.minOffset).toBe(3 * FILE_SIZE)
  })
})

describe('the clock', () => {
  test('set back: what was delivered stays so, also after a restart; what is added counts', async () => {
    const { folder, timer } = open()
    timer.add(record())
    timer.readTime = START + 10_000
    timer.turnBack(START, timer.log.maxOffset)
    expect(timer.wheel.numAt(START + 5000)).toBe(0)
    timer.add(record({ physicalOffset: 183 }))
    expect(chainAt(timer, START + 5000)).toEqual([52])
    await flush(timer)
    await timer.close()
    const again = open(folder)
    expect(again.timer.readTime).toBe(START)
    expect(again.timer.marks.covers(START + 5000, 0)).toBe(true)
    expect(again.timer.marks.covers(START + 5000, 52)).toBe(false)
    expect(again.timer.marks.covers(START + 10_000, 0)).toBe(false)
  })

  test('marks of ours count no more once a Java broker has moved the check point on', async () => {
    const { folder, timer } = open()
    timer.add(record())
    timer.readTime = START + 10_000
    timer.turnBack(START, timer.log.maxOffset)
    await flush(timer)
    await timer.close()
    const path = join(folder, 'config', 'timercheck')
    const bytes = readFileSync(path)
    bytes.writeBigInt64BE(bytes.readBigInt64BE(48) + 1n, 48)
    writeFileSync(path, bytes)
    const again = open(folder)
    expect(again.timer.marks.list).toEqual([])
    expect(again.timer.checkpoint.commitLogOffset).toBe(-1)
  })
})

test('a disk that cannot make a file leaves log and wheel as they were', () => {
  const faulty = new FaultyDisk()
  const timer = create(scratchFolder(), {}, faulty.disk)
  timer.recover(COMMIT_LOG_END)
  faulty.createError = 'ENOSPC'
  expect(() => timer.add(record())).toThrow(/ENOSPC/)
  expect(timer.wheel.numAt(START + 5000)).toBe(0)
  faulty.createError = undefined
  for (let i = 0; i < 3; i++) timer.add(record({ physicalOffset: i * 183 }))
  faulty.createError = 'ENOSPC'
  expect(() => timer.add(record({ physicalOffset: 549 }))).toThrow(/ENOSPC/)
  faulty.createError = undefined
  timer.add(record({ physicalOffset: 549 }))
  expect(chainAt(timer, START + 5000)).toEqual([192, 104, 52, 0])
})
