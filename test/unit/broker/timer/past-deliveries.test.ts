import { expect, onTestFinished, test } from 'vitest'
import { PastDeliveries } from '../../../../src/broker/timer/past-deliveries.js'
import { RecordTimerProperties } from '../../../../src/broker/timer/record-properties.js'
import { encodeProperties, SystemTopic } from '../../../../src/common/index.js'
import { TimerRecords } from '../../../../src/store/index.js'
import { createStore, message } from '../../../support/store.js'

const KEYS = { UNIQ_KEY: 'M', REAL_TOPIC: 'T', REAL_QID: '0', TIMER_OUT_MS: '1700000100000' }
const PUT = { TIMER_DEQUEUE_MS: '1700000030000', TIMER_ROLL_TIMES: '1' }
const MARKER = { TIMER_DEL_UNIQKEY: 'T_M' }

test('what was put back before a crash is known once more, and a delete marker like it is not', async () => {
  const store = createStore()
  await store.start()
  onTestFinished(() => store.shutdown())
  const append = (properties: Readonly<Record<string, string>>): { at: number; size: number } => {
    const text = encodeProperties(Object.entries(properties))
    const put = store.append(message({ topic: SystemTopic.TIMER_WHEEL, properties: text }))
    return { at: put.physicalOffset, size: put.wroteBytes }
  }
  const waiting = append(KEYS)
  const marker = append({ ...KEYS, ...MARKER })
  const behind = append({ ...KEYS, ...PUT }).at

  const records = new TimerRecords(store)
  const past = new PastDeliveries()
  await past.read(records, behind)
  expect(past.size).toBe(1)
  const isKnown = ({ at, size }: { at: number; size: number }): boolean => {
    expect(records.open(at, size)).toBe('open')
    const properties = new RecordTimerProperties()
    properties.scan(records.buffer, records.head.propertiesStart, records.head.propertiesEnd)
    return past.take(records, properties, true)
  }
  expect(isKnown(marker)).toBe(false)
  expect(isKnown(waiting)).toBe(true)
  expect(isKnown(waiting)).toBe(false)
})
