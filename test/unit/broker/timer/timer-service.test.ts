import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { eventually } from '../../../support/eventually.js'
import { FaultyDisk } from '../../../support/faulty-disk.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { passTime, TimerBroker, type TimerBrokerSettings } from '../../../support/timer-broker.js'

let broker: TimerBroker
afterEach(() => broker.dispose())

const start = async (settings: TimerBrokerSettings = {}, disk?: FaultyDisk): Promise<void> => {
  broker = await TimerBroker.open({ clock: new ManualClock(), settings, ...(disk ? { disk: disk.disk } : {}) })
}
const ids = async (): Promise<string[]> => (await broker.delivered()).map(({ body }) => body.toString())
const inSeconds = (seconds: number) => ({ TIMER_DELAY_SEC: String(seconds) })
const arrived = (count: number): Promise<void> =>
  eventually(async () => {
    await passTime(broker.clock, 200)
    return (await ids()).length >= count
  }, `${count} messages`)

test('messages of one slot keep the order they were sent in, over file and chain ends', async () => {
  await start()
  const expected = Array.from({ length: 500 }, (_, i) => `M${i}`)
  for (const id of expected) broker.send(id, inSeconds(5))
  await passTime(broker.clock, 6_000)
  await arrived(500)
  expect(await ids()).toEqual(expected)
})

test('a store that takes no messages delays deliveries and loses none', async () => {
  await start()
  for (let i = 0; i < 50; i++) broker.send(`M${i}`, inSeconds(3))
  await passTime(broker.clock, 1_000)
  broker.store.flags.set(1 << 1, 'a test')
  await passTime(broker.clock, 30_000)
  expect(await ids()).toEqual([])
  broker.store.flags.clear(1 << 1)
  await arrived(50)
  await passTime(broker.clock, 3_000)
  expect(await ids()).toHaveLength(50)
})

test('a timer log that cannot grow keeps messages waiting in the topic until it can', async () => {
  const disk = new FaultyDisk()
  await start({}, disk)
  // the log has its first file; what cannot be made from here on is the timer's
  broker.send('first', {})
  disk.createError = 'ENOSPC'
  broker.send('A', inSeconds(5))
  await passTime(broker.clock, 2_000)
  expect(broker.service.state().offsetBehind).toBe(1)
  disk.createError = undefined
  await passTime(broker.clock, 2_000)
  expect(broker.service.state()).toMatchObject({ offsetBehind: 0, congestNum: 1 })
  await passTime(broker.clock, 3_000)
  await arrived(2)
})

test('properties that leave no room for the marks of the timer are delivered without them', async () => {
  await start()
  broker.send('A', { ...inSeconds(2), big: 'x'.repeat(32_767 - 110) })
  await passTime(broker.clock, 3_000)
  await arrived(1)
  const [message] = await broker.delivered()
  expect(message!.properties.has('TIMER_DEQUEUE_MS')).toBe(false)
})

test('messages of one slot keep their own properties, short or long, with marks of their own', async () => {
  await start()
  const values = ['', 'a', 'bb'.repeat(40), 'c'.repeat(6_000), 'd', 'e'.repeat(4_096 - 200), 'f'.repeat(4_200)]
  for (const [i, value] of values.entries()) {
    broker.send(`M${i}`, { ...inSeconds(i < 4 ? 4 : 3), ...(value && { own: value }) })
    await passTime(broker.clock, i === 3 ? 1_000 : 0)
  }
  await arrived(values.length)
  const found = await broker.delivered()
  expect(found.map(({ properties }) => properties.get('own') ?? '')).toEqual(values)
  const marks = ['TIMER_ENQUEUE_MS', 'TIMER_DEQUEUE_MS', 'UNIQ_KEY']
  for (const [i, { properties, storeTimestamp }] of found.entries()) {
    const [enqueued, dequeued, key] = marks.map(name => properties.get(name))
    expect([key, Number(dequeued)]).toEqual([`M${i}`, storeTimestamp])
    expect(storeTimestamp - Number(enqueued)).toBeGreaterThanOrEqual(2_000)
  }
  const enqueueTimes = new Set(found.map(({ properties }) => properties.get('TIMER_ENQUEUE_MS')))
  expect(enqueueTimes.size).toBe(2)
})

test('timerStopEnqueue and timerStopDequeue hold the timer, and let it go on', async () => {
  await start({ timerStopDequeue: true })
  broker.send('A', inSeconds(2))
  await passTime(broker.clock, 5_000)
  expect(await ids()).toEqual([])
  expect(broker.service.state()).toMatchObject({ offsetBehind: 0, congestNum: 1 })
  expect(broker.service.state().readBehind).toBeGreaterThanOrEqual(4)
  await broker.stop()
  const { clock, folder } = broker
  broker = await TimerBroker.open({ clock, folder, settings: { timerStopEnqueue: true } })
  broker.send('B', inSeconds(2))
  await arrived(1)
  await passTime(clock, 4_000)
  expect(await ids()).toEqual(['A'])
  expect(broker.service.state().offsetBehind).toBe(1)
  broker = await broker.restart()
  expect(await ids()).toEqual(['A'])
  await broker.stop()
  broker = await TimerBroker.open({ clock, folder })
  await arrived(2)
})

test('disappearTimeAfterStart holds deliveries back, not enqueueing', async () => {
  await start({ disappearTimeAfterStart: 20_000 })
  broker.send('A', inSeconds(2))
  await passTime(broker.clock, 19_000)
  expect(await ids()).toEqual([])
  expect(broker.service.state()).toMatchObject({ offsetBehind: 0, congestNum: 1 })
  await passTime(broker.clock, 3_000)
  await arrived(1)
})

test('a broker that was down for ten days delivers all that fell due meanwhile', async () => {
  await start({ timerMaxDelaySec: 6 * 86_400 })
  broker.send('soon', inSeconds(10))
  broker.send('far', inSeconds(5 * 86_400))
  await passTime(broker.clock, 1_000)
  await broker.stop()
  broker.clock.jump(10 * 86_400_000)
  broker = await TimerBroker.open({
    clock: broker.clock,
    folder: broker.folder,
    settings: { timerMaxDelaySec: 518_400 },
  })
  await arrived(2)
  expect(await ids()).toEqual(['soon', 'far'])
})

test('a timer log that lost its end is filled again from the topic', async () => {
  await start()
  for (let i = 0; i < 150; i++) broker.send(`M${i}`, inSeconds(20))
  await passTime(broker.clock, 3_000)
  await eventually(() => broker.service.timer.checkpoint.lastTimerQueueOffset === 150, 'the check point')
  await broker.stop()
  const folder = join(broker.folder, 'timerlog')
  const last = join(folder, readdirSync(folder).sort().at(-1)!)
  const { length } = readFileSync(last)
  truncateSync(last, 0)
  writeFileSync(last, Buffer.alloc(length))
  broker = await TimerBroker.open({ clock: broker.clock, folder: broker.folder })
  await passTime(broker.clock, 20_000)
  await arrived(150)
  await passTime(broker.clock, 3_000)
  expect(new Set(await ids()).size).toBe(150)
})

test('the numbers of waiting messages survive a restart, and forget topics that are gone', async () => {
  await start()
  broker.send('A', inSeconds(60), 'X')
  broker.send('B', inSeconds(60), 'Y')
  await passTime(broker.clock, 1_500)
  broker = await broker.restart()
  const counts = () => Object.fromEntries([...broker.service.metrics.timingCount].map(([topic, m]) => [topic, m.count]))
  expect(counts()).toEqual({ X: 1, Y: 1 })
  broker.service.metrics.retain(topic => topic === 'X')
  expect(counts()).toEqual({ X: 1 })
})

/** More than the timer delivers in one turn. */
const COUNT = 20_000

test('after kill -9 in the middle of a slot the rest comes, and nothing comes twice', async () => {
  await start()
  for (let i = 0; i < COUNT; i++) broker.send(`M${i}`, inSeconds(3))
  await passTime(broker.clock, 2_000)
  while (broker.store.maxOffset('T', 0) === 0) await broker.clock.advance(10)
  expect(broker.store.maxOffset('T', 0)).toBeLessThan(COUNT)
  broker = await broker.killed()
  await arrived(COUNT)
  await passTime(broker.clock, 3_000)
  const found = await ids()
  expect(new Set(found).size).toBe(COUNT)
  expect(found).toHaveLength(COUNT)
})

test('messages that are not in memory any more are read from the disk', async () => {
  await start({ accessMessageInMemoryMaxRatio: 0 })
  for (let i = 0; i < 200; i++) broker.send(`M${i}`, inSeconds(3))
  broker.recall('M7', (Math.ceil((broker.clock.now() + 3_000) / 1000) - 1) * 1000)
  await passTime(broker.clock, 4_000)
  await arrived(199)
  expect(await ids()).not.toContain('M7')
})
