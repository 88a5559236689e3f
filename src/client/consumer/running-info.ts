import { CURRENT_VERSION, ObjectKeyMap, type SubscriptionData, versionName } from '../../common/index.js'
import type { ConsumptionContext } from './consumption.js'

export interface RunningInfoParts {
  startedAt: number
  subscriptions: readonly SubscriptionData[]
}

/** What a push consumer tells tools about itself: the body ConsumerRunningInfo. */
export function runningInfo(context: ConsumptionContext, parts: RunningInfoParts): object {
  const { instance, settings, stats, offsets } = context
  const queues = context.owned().map(processQueue => {
    const offset = offsets.inMemory(processQueue.queue) ?? 0
    return [processQueue.queue, processQueue.status(offset)] as const
  })
  return {
    mqPopTable: {},
    mqTable: new ObjectKeyMap(queues),
    properties: {
      ...settingTexts(context),
      PROP_NAMESERVER_ADDR: instance.nameServers.addresses.join(';'),
      PROP_THREADPOOL_CORE_SIZE: String(settings.consumeThreads),
      PROP_CONSUMEORDERLY: String(settings.ordered),
      PROP_CONSUME_TYPE: 'CONSUME_PASSIVELY',
      PROP_CLIENT_VERSION: versionName(CURRENT_VERSION),
      PROP_CONSUMER_START_TIMESTAMP: String(parts.startedAt),
    },
    statusTable: Object.fromEntries(parts.subscriptions.map(({ topic }) => [topic, stats.of(topic).status()])),
    subscriptionSet: parts.subscriptions,
    userConsumerInfo: {},
  }
}

const shown = [
  'messageModel',
  'consumeFromWhere',
  'consumeThreads',
  'consumeMessageBatchMaxSize',
  'consumeConcurrentlyMaxSpan',
  'pullThresholdForQueue',
  'pullThresholdSizeForQueue',
  'pullInterval',
  'pullBatchSize',
  'maxReconsumeTimes',
  'suspendCurrentQueueTimeMillis',
  'consumeTimeout',
] as const

function settingTexts({ settings, group }: ConsumptionContext): Record<string, string> {
  const texts = Object.fromEntries(shown.map(name => [name, String(settings[name])]))
  return { ...texts, consumerGroup: group, allocateMessageQueueStrategy: settings.allocate.name }
}
