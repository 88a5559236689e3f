import { describe, expect, it } from 'vitest'
import {
  type PushConsumerOptions,
  pushConsumerSettings,
  timestampOf,
} from '../../../src/client/consumer/push-consumer-options.js'
import { Subscriptions } from '../../../src/client/consumer/subscriptions.js'
import { bySql } from '../../../src/client/index.js'
import { ManualClock } from '../../support/manual-clock.js'

const onMessages = (): void => {}

function settings(values: Partial<PushConsumerOptions>): ReturnType<typeof pushConsumerSettings> {
  return pushConsumerSettings({ group: 'G', onMessages, ...values }, 1_700_000_000_000)
}

it("has Java's defaults", () => {
  expect(settings({})).toMatchObject({
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    consumeThreads: 20,
    pullBatchSize: 32,
    pullThresholdForQueue: 1000,
    maxDeliveries: 16,
    ordered: false,
    consumeTimestamp: 1_700_000_000_000 - 30 * 60_000,
  })
  expect(pushConsumerSettings({ group: 'G', onOrderedMessages: () => {} }, 0)).toMatchObject({
    ordered: true,
    maxDeliveries: 2 ** 31 - 1,
  })
})

describe('refuses', () => {
  const cases: [string, Partial<PushConsumerOptions>, string][] = [
    ['the default group', { group: 'DEFAULT_CONSUMER' }, 'consumerGroup can not equal DEFAULT_CONSUMER'],
    ['too many threads', { consumeThreads: 1001 }, 'consumeThreads Out of range [1, 1000]'],
    ['a batch of none', { consumeMessageBatchMaxSize: 0 }, 'consumeMessageBatchMaxSize Out of range [1, 1024]'],
    ['a large pull', { pullBatchSize: 1025 }, 'pullBatchSize Out of range [1, 1024]'],
    ['no room for a topic', { pullThresholdForTopic: 0 }, 'pullThresholdForTopic Out of range [1, 6553500]'],
    ['not a number', { pullInterval: Number.NaN }, 'pullInterval Out of range [0, 65535]'],
    ['two listeners', { onOrderedMessages: () => {} }, 'not both'],
    ['a bad time', { consumeTimestamp: '2023' }, 'the valid format is yyyyMMddHHmmss,but received 2023'],
  ]
  it.each(cases)('%s', (_, values, text) => {
    expect(() => settings(values)).toThrow(text)
  })

  it('no listener', () => {
    expect(() => pushConsumerSettings({ group: 'G' }, 0)).toThrow('messageListener is null')
  })
})

it('reads times in three forms', () => {
  const time = new Date(2023, 10, 14, 22, 13, 20)
  expect(timestampOf('20231114221320')).toBe(time.getTime())
  expect(timestampOf(time)).toBe(time.getTime())
  expect(timestampOf(5)).toBe(5)
})

it('makes subscriptions by tag and by SQL, newer each time they are renewed', () => {
  const subscriptions = new Subscriptions(new ManualClock())
  subscriptions.add('T', 'TagA || TagB')
  subscriptions.add('S', bySql('a > 5'))
  expect(subscriptions.get('T')).toMatchObject({
    tagsSet: new Set(['TagA', 'TagB']),
    codeSet: new Set([2598919, 2598920]),
  })
  expect(subscriptions.get('S')).toMatchObject({ expressionType: 'SQL92', subString: 'a > 5' })
  const before = subscriptions.get('T')!.subVersion
  subscriptions.renew('T')
  expect(subscriptions.get('T')!.subVersion).toBe(before + 1)
})
