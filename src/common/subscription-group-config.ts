import {
  type JsonObject,
  type JsonValue,
  readArray,
  readBoolean,
  readEnum,
  readNumber,
  readObject,
  readString,
  readStringMap,
} from './json/index.js'
import { MASTER_ID } from './topic-rules.js'

export const groupRetryPolicyTypes = ['EXPONENTIAL', 'CUSTOMIZED'] as const
export type GroupRetryPolicyType = (typeof groupRetryPolicyTypes)[number]

/** When a message comes back; times in ms. Without the part its `type` names, the default delays hold. */
export interface GroupRetryPolicy {
  type: GroupRetryPolicyType
  exponentialRetryPolicy?: { initial: number; max: number; multiplier: number }
  customizedRetryPolicy?: { next: number[] }
}

export interface SimpleSubscriptionData {
  topic: string
  expressionType: string
  expression: string
  version: number
}

/** A consumer group as a broker keeps it. Its JSON has these names. */
export interface SubscriptionGroupConfig {
  groupName: string
  consumeEnable: boolean
  consumeFromMinEnable: boolean
  consumeBroadcastEnable: boolean
  consumeMessageOrderly: boolean
  retryQueueNums: number
  retryMaxTimes: number
  groupRetryPolicy: GroupRetryPolicy
  brokerId: number
  whichBrokerWhenConsumeSlowly: number
  notifyConsumerIdsChangedEnable: boolean
  groupSysFlag: number
  consumeTimeoutMinute: number
  subscriptionDataSet?: SimpleSubscriptionData[]
  attributes: Map<string, string>
}

export function newSubscriptionGroupConfig(
  groupName: string,
  values: Partial<Omit<SubscriptionGroupConfig, 'groupName'>> = {},
): SubscriptionGroupConfig {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    consumeMessageOrderly: false,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    groupRetryPolicy: { type: 'CUSTOMIZED' },
    brokerId: MASTER_ID,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
    groupSysFlag: 0,
    consumeTimeoutMinute: 15,
    attributes: new Map(),
    ...values,
  }
}

export function subscriptionGroupConfigFromJson(json: JsonValue | undefined): SubscriptionGroupConfig {
  const object = readObject(json)
  const config = newSubscriptionGroupConfig(readString(object.groupName, ''))
  for (const key of booleanKeys) config[key] = readBoolean(object[key], config[key])
  for (const key of numberKeys) config[key] = readNumber(object[key], config[key])
  config.groupRetryPolicy = retryPolicyFromJson(readObject(object.groupRetryPolicy))
  config.attributes = readStringMap(object.attributes)
  if (Array.isArray(object.subscriptionDataSet)) {
    config.subscriptionDataSet = object.subscriptionDataSet.map(simpleSubscriptionFromJson)
  }
  return config
}

const booleanKeys = [
  'consumeEnable',
  'consumeFromMinEnable',
  'consumeBroadcastEnable',
  'consumeMessageOrderly',
  'notifyConsumerIdsChangedEnable',
] as const

const numberKeys = [
  'retryQueueNums',
  'retryMaxTimes',
  'brokerId',
  'whichBrokerWhenConsumeSlowly',
  'groupSysFlag',
  'consumeTimeoutMinute',
] as const

function retryPolicyFromJson(object: JsonObject): GroupRetryPolicy {
  const policy: GroupRetryPolicy = { type: readEnum(object.type, groupRetryPolicyTypes, 'CUSTOMIZED') }
  if (object.exponentialRetryPolicy) {
    const exponential = readObject(object.exponentialRetryPolicy)
    policy.exponentialRetryPolicy = {
      initial: readNumber(exponential.initial, 5_000),
      max: readNumber(exponential.max, 7_200_000),
      multiplier: readNumber(exponential.multiplier, 2),
    }
  }
  if (object.customizedRetryPolicy) {
    const next = readArray(readObject(object.customizedRetryPolicy).next).map(delay => readNumber(delay, 0))
    policy.customizedRetryPolicy = { next: next.length > 0 ? next : [...defaultDelays] }
  }
  return policy
}

function simpleSubscriptionFromJson(json: JsonValue): SimpleSubscriptionData {
  const object = readObject(json)
  return {
    topic: readString(object.topic, ''),
    expressionType: readString(object.expressionType, 'TAG'),
    expression: readString(object.expression, '*'),
    version: readNumber(object.version, 0),
  }
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The delays of the default retry policy, which are those of the delay levels. */
const defaultDelays: readonly number[] = [
  ...[1, 5, 10, 30].map(n => n * SECOND),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map(n => n * MINUTE),
  ...[1, 2].map(n => n * HOUR),
]

/** Ms until the next delivery of a message that was consumed `reconsumeTimes` times before. */
export function nextRetryDelay(policy: GroupRetryPolicy, reconsumeTimes: number): number {
  const times = Math.max(0, reconsumeTimes)
  if (policy.type === 'EXPONENTIAL' && policy.exponentialRetryPolicy) {
    const { initial, max, multiplier } = policy.exponentialRetryPolicy
    return Math.min(max, initial * multiplier ** Math.min(times, 32))
  }
  const custom = policy.type === 'CUSTOMIZED' ? policy.customizedRetryPolicy?.next : undefined
  const delays = custom && custom.length > 0 ? custom : defaultDelays
  // the first retry waits as long as delay level 3
  return delays[Math.min(times + 2, delays.length - 1)]!
}
