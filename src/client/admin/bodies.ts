import {
  type ConsumeFromWhere,
  type ConsumeType,
  compareMessageQueues,
  consumeFromWheres,
  consumeTypes,
  type JsonObject,
  type JsonValue,
  type MessageModel,
  type MessageQueue,
  messageModels,
  messageQueueFromJson,
  parseFastJson,
  readArray,
  readBoolean,
  readEnum,
  readNumber,
  readObject,
  readString,
  type SubscriptionData,
  subscriptionDataFromJson,
} from '../../common/index.js'
import type { QueueOffset } from '../members.js'

/*
 * Bodies that only tools read. Maps whose keys are queues become lists sorted by queue.
 */

export interface QueueStats {
  queue: MessageQueue
  minOffset: number
  maxOffset: number
  /** Ms; 0 when the queue is empty. */
  lastUpdateTimestamp: number
}

export interface TopicStats {
  topicPutTps: number
  queues: QueueStats[]
}

export interface QueueConsumption {
  queue: MessageQueue
  brokerOffset: number
  consumerOffset: number
  pullOffset: number
  lastTimestamp: number
}

export interface ConsumeStats {
  consumeTps: number
  queues: QueueConsumption[]
}

export interface ClientConnection {
  clientAddr: string
  clientId: string
  language: string
  version: number
}

export interface ConsumerConnection {
  connections: ClientConnection[]
  /** By topic. */
  subscriptions: Map<string, SubscriptionData>
  consumeType: ConsumeType
  messageModel: MessageModel
  consumeFromWhere: ConsumeFromWhere
}

export interface StatsValues {
  sum: number
  tps: number
  avgpt: number
}

export interface BrokerStatsData {
  statsMinute: StatsValues
  statsHour: StatsValues
  statsDay: StatsValues
}

export interface ConsumerRunningInfo {
  properties: Map<string, string>
  subscriptionSet: SubscriptionData[]
  /** By queue, as the client wrote it. */
  queues: { queue: MessageQueue; status: JsonObject }[]
  statusTable: Map<string, JsonObject>
  jstack?: string
  /** Everything, as parsed. */
  raw: JsonObject
}

export interface ConsumeMessageDirectlyResult {
  order: boolean
  autoCommit: boolean
  consumeResult: string
  remark?: string
  spentTimeMills: number
}

const directResults = [
  'CR_SUCCESS',
  'CR_LATER',
  'CR_ROLLBACK',
  'CR_COMMIT',
  'CR_THROW_EXCEPTION',
  'CR_RETURN_NULL',
] as const

/** The members of a map whose keys are queues, sorted. */
export function queueMap(json: JsonValue | undefined): [MessageQueue, JsonValue][] {
  return Object.entries(readObject(json))
    .map(([key, value]): [MessageQueue, JsonValue] => [messageQueueFromJson(parseFastJson(key)), value])
    .sort(([a], [b]) => compareMessageQueues(a, b))
}

export function queueOffsetsFromJson(json: JsonValue | undefined): QueueOffset[] {
  return queueMap(json).map(([queue, offset]) => ({ queue, offset: readNumber(offset, 0) }))
}

/** What a reset does in one queue. Offsets are -1 where the group has none. */
export interface OffsetResetEffect {
  queue: MessageQueue
  before: number
  after: number
  minOffset: number
  maxOffset: number
  /** Stored messages that are delivered again. */
  reread: number
  /** Stored messages that are never delivered. */
  skipped: number
}

export function resetEffectsFromJson(json: JsonValue): OffsetResetEffect[] {
  const effects = readArray(readObject(json).queues).map(item => {
    const effect = readObject(item)
    return {
      queue: messageQueueFromJson(effect.queue),
      before: readNumber(effect.before, -1),
      after: readNumber(effect.after, -1),
      minOffset: readNumber(effect.minOffset, 0),
      maxOffset: readNumber(effect.maxOffset, 0),
      reread: readNumber(effect.reread, 0),
      skipped: readNumber(effect.skipped, 0),
    }
  })
  return effects.sort((a, b) => compareMessageQueues(a.queue, b.queue))
}

export function topicStatsFromJson(json: JsonValue): TopicStats {
  const object = readObject(json)
  return {
    topicPutTps: readNumber(object.topicPutTps, 0),
    queues: queueMap(object.offsetTable).map(([queue, value]) => {
      const stats = readObject(value)
      return {
        queue,
        minOffset: readNumber(stats.minOffset, 0),
        maxOffset: readNumber(stats.maxOffset, 0),
        lastUpdateTimestamp: readNumber(stats.lastUpdateTimestamp, 0),
      }
    }),
  }
}

export function consumeStatsFromJson(json: JsonValue): ConsumeStats {
  const object = readObject(json)
  return {
    consumeTps: readNumber(object.consumeTps, 0),
    queues: queueMap(object.offsetTable).map(([queue, value]) => {
      const stats = readObject(value)
      return {
        queue,
        brokerOffset: readNumber(stats.brokerOffset, 0),
        consumerOffset: readNumber(stats.consumerOffset, 0),
        pullOffset: readNumber(stats.pullOffset, 0),
        lastTimestamp: readNumber(stats.lastTimestamp, 0),
      }
    }),
  }
}

export function connectionsFromJson(json: JsonValue): ClientConnection[] {
  return readArray(readObject(json).connectionSet).map(item => {
    const connection = readObject(item)
    return {
      clientAddr: readString(connection.clientAddr, ''),
      clientId: readString(connection.clientId, ''),
      language: readString(connection.language, 'OTHER'),
      version: readNumber(connection.version, 0),
    }
  })
}

export function consumerConnectionFromJson(json: JsonValue): ConsumerConnection {
  const object = readObject(json)
  const subscriptions = Object.entries(readObject(object.subscriptionTable))
  return {
    connections: connectionsFromJson(json),
    subscriptions: new Map(subscriptions.map(([topic, value]) => [topic, subscriptionDataFromJson(value)])),
    consumeType: readEnum(object.consumeType, consumeTypes, 'CONSUME_PASSIVELY'),
    messageModel: readEnum(object.messageModel, messageModels, 'CLUSTERING'),
    consumeFromWhere: readEnum(object.consumeFromWhere, consumeFromWheres, 'CONSUME_FROM_LAST_OFFSET'),
  }
}

export function brokerStatsFromJson(json: JsonValue): BrokerStatsData {
  const object = readObject(json)
  const values = (value: JsonValue | undefined): StatsValues => {
    const stats = readObject(value)
    return { sum: readNumber(stats.sum, 0), tps: readNumber(stats.tps, 0), avgpt: readNumber(stats.avgpt, 0) }
  }
  return {
    statsMinute: values(object.statsMinute),
    statsHour: values(object.statsHour),
    statsDay: values(object.statsDay),
  }
}

export function consumerRunningInfoFromJson(json: JsonValue): ConsumerRunningInfo {
  const raw = readObject(json)
  const jstack = readString(raw.jstack)
  const text = (value: JsonValue): string => readString(value, '')
  return {
    properties: new Map(Object.entries(readObject(raw.properties)).map(([key, value]) => [key, text(value)])),
    subscriptionSet: readArray(raw.subscriptionSet).map(subscriptionDataFromJson),
    queues: queueMap(raw.mqTable).map(([queue, status]) => ({ queue, status: readObject(status) })),
    statusTable: new Map(
      Object.entries(readObject(raw.statusTable)).map(([topic, value]) => [topic, readObject(value)]),
    ),
    ...(jstack === undefined ? {} : { jstack }),
    raw,
  }
}

export function directResultFromJson(json: JsonValue): ConsumeMessageDirectlyResult {
  const object = readObject(json)
  const remark = readString(object.remark)
  return {
    order: readBoolean(object.order, false),
    autoCommit: readBoolean(object.autoCommit, true),
    // Go sends the ordinal
    consumeResult: readEnum(object.consumeResult, directResults, 'CR_RETURN_NULL'),
    ...(remark === undefined ? {} : { remark }),
    spentTimeMills: readNumber(object.spentTimeMills, 0),
  }
}
