import { expect, test } from 'vitest'
import { DelayLevels } from '../../../src/store/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { createStore, message } from '../../support/store.js'

test('levels are positions in the text; those above the highest count as it', () => {
  const levels = new DelayLevels('1s 5m 2h 1d')
  expect([1, 2, 3, 4, 9].map(level => levels.delayMs(level))).toEqual([
    1000, 300_000, 7_200_000, 86_400_000, 86_400_000,
  ])
  expect(() => new DelayLevels('1s 5x')).toThrow(/"5x" is no duration/)
})

test('a unit of the schedule topic holds the time of delivery', async () => {
  const store = createStore({ clock: new ManualClock(0x1a1fb7e6c9d) })
  await store.start()
  store.append(message({ topic: 'SCHEDULE_TOPIC_XXXX', queueId: 2, properties: 'TAGS\x01t\x02DELAY\x013\x02' }))
  const unit = await store.queries.unitAt('SCHEDULE_TOPIC_XXXX', 2, 0)
  expect(unit?.tagsCode).toBe(0x1a1fb7e6c9d + 10_000)
  await store.shutdown()
})
