import { describe, expect, test } from 'vitest'
import { BrokerStats } from '../../../../src/broker/stats/broker-stats.js'
import { ManualClock } from '../../../support/manual-clock.js'

const SLOT_MS = 10_000
const CLUSTER = 'C'
/** Of minute, hour and day: slots between samples, slots that the figures are of. */
const SCALES = [
  [1, 6],
  [60, 360],
  [360, 8640],
] as const

function started(): { clock: ManualClock; stats: BrokerStats } {
  const clock = new ManualClock()
  const stats = new BrokerStats({ clock })
  stats.start()
  return { clock, stats }
}

describe('counters of a topic', () => {
  test('minute, hour and day are counted from samples, as in Java', async () => {
    const { clock, stats } = started()
    for (let slot = 0; slot < 6; slot++) {
      stats.incTopicPut('T', 30, 3000)
      stats.incTopicPut('T', 30, 3000)
      await clock.advance(SLOT_MS)
    }
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toEqual({
      statsMinute: { sum: 360, tps: 6, avgpt: 30 },
      statsHour: { sum: 0, tps: 0, avgpt: 0 },
      statsDay: { sum: 0, tps: 0, avgpt: 0 },
    })
    expect(stats.view('TOPIC_PUT_SIZE', 'T', CLUSTER)?.statsMinute).toEqual({ sum: 36_000, tps: 600, avgpt: 3000 })
    await clock.advance(54 * SLOT_MS)
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toMatchObject({
      statsMinute: { sum: 0, tps: 0 },
      statsHour: { sum: 360, tps: 0.6, avgpt: 30 },
    })
    await clock.advance(300 * SLOT_MS)
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toMatchObject({
      statsHour: { sum: 360, tps: 0.1 },
      statsDay: { sum: 360, tps: 0.1, avgpt: 30 },
    })
    await clock.advance(60 * SLOT_MS)
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)?.statsHour.sum).toBe(0)
  })

  test('agree with plain sums over random traffic', async () => {
    const { clock, stats } = started()
    const perSlot: number[] = []
    let seed = 20_260_101
    for (let slot = 0; slot < 500; slot++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      const count = seed % 3 === 0 ? seed % 97 : 0
      if (count > 0) stats.incTopicPut('T', count, 1)
      perSlot.push(count)
      await clock.advance(SLOT_MS)
    }
    const lastOf = (slots: number, end: number): number =>
      perSlot.slice(Math.max(0, end - slots), end).reduce((sum, count) => sum + count, 0)
    const data = stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)!
    expect(data.statsMinute.sum).toBe(lastOf(6, 500))
    expect(data.statsHour.sum).toBe(lastOf(360, 480))
    expect(data.statsDay.sum).toBe(lastOf(360, 360))
  })

  test('and of its queues, which come one after the other, agree with plain sums over random traffic', async () => {
    const { clock, stats } = started()
    const perSlot: number[][] = []
    let seed = 20_261_121
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return Math.floor(seed / 65_536) % below
    }
    for (let slot = 0; slot < 1000; slot++) {
      const counts = [0, 0, 0, 0]
      // more of the queues as time goes by; the last stands for messages without one
      for (let i = random(4); i > 0; i--) {
        const queue = random(Math.min(4, 1 + Math.floor(slot / 200)))
        const count = 1 + random(50)
        counts[queue]! += count
        stats.incTopicPut('T', count, count * 2, queue === 3 ? undefined : queue * 700)
      }
      perSlot.push(counts)
      await clock.advance(SLOT_MS)
      if (slot % 97 !== 0) continue
      const sumsOf = (queues: readonly number[]): number[] =>
        SCALES.map(([every, length]) => {
          const end = Math.floor((slot + 1) / every) * every
          const from = Math.max(0, end - length)
          return perSlot.slice(from, end).reduce((sum, row) => queues.reduce((all, queue) => all + row[queue]!, sum), 0)
        })
      const found = (name: string, key: string): number[] => {
        const data = stats.view(name, key, CLUSTER)
        return [data?.statsMinute.sum ?? 0, data?.statsHour.sum ?? 0, data?.statsDay.sum ?? 0]
      }
      expect(found('TOPIC_PUT_NUMS', 'T'), `slot ${slot}`).toEqual(sumsOf([0, 1, 2, 3]))
      for (const queue of [0, 1, 2]) {
        expect(found('QUEUE_PUT_NUMS', `T@${queue * 700}`), `slot ${slot}`).toEqual(sumsOf([queue]))
        expect(found('QUEUE_PUT_SIZE', `T@${queue * 700}`)).toEqual(sumsOf([queue]).map(sum => sum * 2))
      }
    }
  })

  test('go with the topic, and after a day without traffic', async () => {
    const { clock, stats } = started()
    stats.incTopicPut('T', 1, 1)
    stats.incTopicPut('Gone', 1, 1)
    stats.incGroupGet('G', 'Gone', 1, 1)
    stats.topicDeleted('Gone')
    expect(stats.view('TOPIC_PUT_NUMS', 'Gone', CLUSTER)).toBeUndefined()
    expect(stats.view('GROUP_GET_NUMS', 'Gone@G', CLUSTER)).toBeUndefined()
    await clock.advance(24 * 360 * SLOT_MS)
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toBeDefined()
    await clock.advance(27 * 360 * SLOT_MS)
    expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toBeUndefined()
  })
})

test('counters of groups and of the broker have the keys of Java', async () => {
  const { clock, stats } = started()
  stats.incGroupGet('G', 'T', 32, 320)
  stats.incBrokerGet(32)
  stats.incBrokerPut(5)
  stats.incTopicPut('T', 5, 50)
  stats.incTopicPut('SCHEDULE_TOPIC_XXXX', 7, 70)
  stats.incSendBack('G', 'T')
  await clock.advance(SLOT_MS)
  const sum = (name: string, key: string) => stats.view(name, key, CLUSTER)?.statsMinute.sum
  expect(sum('GROUP_GET_NUMS', 'T@G')).toBe(32)
  expect(sum('GROUP_GET_SIZE', 'T@G')).toBe(320)
  expect(sum('BROKER_GET_NUMS', CLUSTER)).toBe(32)
  expect(sum('BROKER_PUT_NUMS', CLUSTER)).toBe(5)
  expect(sum('BROKER_PUT_NUMS_WITHOUT_SYSTEM_TOPIC', CLUSTER)).toBe(5)
  expect(sum('BROKER_PUT_NUMS', 'Other')).toBeUndefined()
  expect(sum('SNDBCK_PUT_NUMS', 'T@G')).toBe(1)
  expect(sum('NO_SUCH_NAME', 'T')).toBeUndefined()
  expect(stats.groupGetTps('G', 'T')).toBe(3.2)
})

test('rates have three windows, empty until they are full', async () => {
  const { clock, stats } = started()
  expect(stats.store.text('put')).toBe('  ')
  expect(stats.store.totalText()).toBe('0.0 0.0 0.0')
  for (let second = 0; second < 10; second++) {
    stats.incTopicPut('T', 100, 1000)
    await clock.advance(1000)
  }
  expect(stats.store.text('put')).toBe('100.0  ')
  await clock.advance(50_000)
  expect(stats.store.text('put')).toMatch(/^0\.0 16\.66\d+ $/)
  await clock.advance(540_000)
  expect(stats.store.text('put')).toMatch(/^0\.0 0\.0 1\.66\d+$/)
})

test('the totals of yesterday and today change at local midnight', async () => {
  const { clock, stats } = started()
  const midnight = new Date(clock.now())
  midnight.setHours(24, 0, 0, 0)
  stats.incBrokerPut(10)
  await clock.advance(midnight.getTime() - clock.now() + 1)
  stats.incBrokerPut(3)
  expect(stats.daily).toMatchObject({ putAtTodayMorning: 10, putAtYesterdayMorning: 0, put: 13 })
  await clock.advance(25 * 3_600_000)
  expect(stats.daily).toMatchObject({ putAtTodayMorning: 13, putAtYesterdayMorning: 10 })
})

test('latencies fall into the classes of Java', () => {
  const { stats } = started()
  for (const ms of [0, 0.4, 5, 9.9, 10, 99, 12_000]) stats.incPutLatency(ms)
  expect(stats.store.distributionText()).toBe(
    '[<=0ms]:2 [0~10ms]:2 [10~50ms]:1 [50~100ms]:1 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:0 [1~2s]:0 [2~3s]:0 ' +
      '[3~4s]:0 [4~5s]:0 [5~10s]:0 [10s~]:1 ',
  )
  expect(stats.store.latencyQuantile(0.5)).toBe(10)
})

test('enableDetailStat: queues have figures of their own, which go with their topic', async () => {
  const { clock, stats } = started()
  stats.incTopicPut('T', 3, 30, 0)
  stats.incTopicPut('T', 5, 50, 7)
  stats.incTopicPut('T', 1, 10)
  stats.incQueueGet('G', { topic: 'T', queueId: 7 }, 4, 40)
  await clock.advance(SLOT_MS)
  const sum = (name: string, key: string) => stats.view(name, key, CLUSTER)?.statsMinute.sum
  expect([sum('QUEUE_PUT_NUMS', 'T@0'), sum('QUEUE_PUT_SIZE', 'T@7'), sum('TOPIC_PUT_NUMS', 'T')]).toEqual([3, 50, 9])
  expect([sum('QUEUE_GET_NUMS', 'T@7@G'), sum('QUEUE_GET_SIZE', 'T@7@G')]).toEqual([4, 40])
  expect([sum('QUEUE_PUT_NUMS', 'T@1'), sum('QUEUE_PUT_NUMS', 'T')]).toEqual([undefined, undefined])
  stats.topicDeleted('T')
  expect([sum('QUEUE_PUT_NUMS', 'T@0'), sum('QUEUE_GET_NUMS', 'T@7@G')]).toEqual([undefined, undefined])
})

test('enableDetailStat=false: queues have none', () => {
  const stats = new BrokerStats({ clock: new ManualClock(), isDetailed: false })
  stats.incTopicPut('T', 3, 30, 0)
  stats.incQueueGet('G', { topic: 'T', queueId: 0 }, 4, 40)
  expect(stats.view('QUEUE_PUT_NUMS', 'T@0', CLUSTER)).toBeUndefined()
  expect(stats.view('QUEUE_GET_NUMS', 'T@0@G', CLUSTER)).toBeUndefined()
  expect(stats.view('TOPIC_PUT_NUMS', 'T', CLUSTER)).toBeDefined()
})
