import { type ConsumerRunningInfo, queueText } from '../client/index.js'
import { type JsonObject, readNumber, readObject, readString, type SubscriptionData } from '../common/index.js'
import { format } from './format.js'

/** A consumer that has not been asked to do anything for so long is stuck. */
const BLOCKED_MS = 60_000
/** Younger members may not have heard of a changed subscription. */
const SETTLED_MS = 120_000

const QUEUE_HEADING = '%-64s  %-32s  %-4s  %-20s'
const RATES_HEADING = '%-64s  %14s %14s %14s %14s %18s %25s'
const RATES_ROW = '%-32s  %14.2f %14.2f %14.2f %14.2f %18.2f %25d'

/** What a consumer tells about itself, laid out as Java does (namesrv-and-admin 5.11). */
export function runningInfoText(info: ConsumerRunningInfo): string {
  const lines = ['#Consumer Properties#']
  for (const [key, value] of info.properties) lines.push(format('%-40s: %s', key, value))
  lines.push('', '', '#Consumer Subscription#')
  for (const [i, subscription] of info.subscriptionSet.entries()) lines.push(subscriptionLine(i + 1, subscription))
  lines.push('', '', '#Consumer Offset#')
  lines.push(format(QUEUE_HEADING, '#Topic', '#Broker Name', '#QID', '#Consumer Offset'))
  for (const { queue, status } of info.queues) {
    const offset = readNumber(status.commitOffset, 0)
    lines.push(format('%-32s  %-32s  %-4d  %-20d', queue.topic, queue.brokerName, queue.queueId, offset))
  }
  lines.push('', '', '#Consumer MQ Detail#')
  lines.push(format(QUEUE_HEADING, '#Topic', '#Broker Name', '#QID', '#ProcessQueueInfo'))
  for (const { queue, status } of info.queues) {
    const place = [queue.topic, queue.brokerName, queue.queueId]
    lines.push(format('%-64s  %-32s  %-4d  %s', ...place, processQueueText(status)))
  }
  lines.push('', '', '#Consumer Pop Detail#')
  lines.push(format('%-32s  %-32s  %-4s  %-20s', '#Topic', '#Broker Name', '#QID', '#ProcessQueueInfo'))
  lines.push(...ratesLines(info), '', '', '#User Consume Info#')
  for (const [key, value] of Object.entries(readObject(info.raw.userConsumerInfo))) {
    lines.push(format('%-40s: %s', key, readString(value) ?? String(value)))
  }
  if (info.jstack !== undefined) lines.push('', '', '#Consumer jstack#', info.jstack)
  return `${lines.join('\n')}\n`
}

function subscriptionLine(number: number, subscription: SubscriptionData): string {
  const { topic, classFilterMode, subString } = subscription
  return format('%03d Topic: %-40s ClassFilter: %-8s SubExpression: %s', number, topic, classFilterMode, subString)
}

function ratesLines(info: ConsumerRunningInfo): string[] {
  const titles = [
    '#Pull RT',
    '#Pull TPS',
    '#Consume RT',
    '#ConsumeOK TPS',
    '#ConsumeFailed TPS',
    '#ConsumeFailedMsgsInHour',
  ]
  const names = ['pullRT', 'pullTPS', 'consumeRT', 'consumeOKTPS', 'consumeFailedTPS', 'consumeFailedMsgs']
  const rows = Array.from(info.statusTable, ([topic, status]) =>
    format(RATES_ROW, topic, ...names.map(name => readNumber(status[name], 0))),
  )
  return ['', '', '#Consumer RT&TPS#', format(RATES_HEADING, '#Topic', ...titles), ...rows]
}

const counts = [
  'commitOffset',
  'cachedMsgMinOffset',
  'cachedMsgMaxOffset',
  'cachedMsgCount',
  'cachedMsgSizeInMiB',
  'transactionMsgMinOffset',
  'transactionMsgMaxOffset',
  'transactionMsgCount',
]

function processQueueText(status: JsonObject): string {
  const number = (name: string): number => readNumber(status[name], 0)
  return (
    `ProcessQueueInfo [${counts.map(name => `${name}=${number(name)}`).join(', ')}, ` +
    `locked=${status.locked === true}, tryUnlockTimes=${number('tryUnlockTimes')}, ` +
    `lastLockTimestamp=${digitsOf(number('lastLockTimestamp'))}, droped=${status.droped === true}, ` +
    `lastPullTimestamp=${digitsOf(number('lastPullTimestamp'))}, ` +
    `lastConsumeTimestamp=${digitsOf(number('lastConsumeTimestamp'))}]`
  )
}

/** `yyyyMMddHHmmssSSS` in local time. */
function digitsOf(timestamp: number): string {
  const date = new Date(timestamp)
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const day = `${date.getFullYear()}${pad(date.getMonth() + 1)}${pad(date.getDate())}`
  const time = `${pad(date.getHours())}${pad(date.getMinutes())}${pad(date.getSeconds())}`
  return `${day}${time}${pad(date.getMilliseconds(), 3)}`
}

/** Whether members that have been there for a while subscribe to the same; others make their queues idle. */
export function haveSameSubscription(members: ReadonlyMap<string, ConsumerRunningInfo>, now: number): boolean {
  const [first, ...others] = members.values()
  if (first === undefined || !isPush(first)) return true
  if (now - Number(first.properties.get('PROP_CONSUMER_START_TIMESTAMP') ?? now) <= SETTLED_MS) return true
  const text = subscriptionsText(first)
  return others.every(other => subscriptionsText(other) === text)
}

function subscriptionsText({ subscriptionSet }: ConsumerRunningInfo): string {
  return subscriptionSet
    .map(({ topic, subString, expressionType }) => JSON.stringify([topic, subString, expressionType]))
    .sort()
    .join()
}

function isPush({ properties }: ConsumerRunningInfo): boolean {
  return properties.get('PROP_CONSUME_TYPE') === 'CONSUME_PASSIVELY'
}

/** Queues that do not go on, a line each. */
export function stuckQueues(clientId: string, info: ConsumerRunningInfo, now: number): string[] {
  if (!isPush(info)) return []
  const isOrdered = info.properties.get('PROP_CONSUMEORDERLY') === 'true'
  return info.queues.flatMap(({ queue, status }) => {
    const problem = isOrdered ? lockProblem(status, now) : blockedProblem(status, now)
    return problem === undefined ? [] : [`${clientId} ${queueText(queue)} ${problem}`]
  })
}

function lockProblem(status: JsonObject, now: number): string | undefined {
  if (status.locked !== true) {
    return `can't lock for a while, ${now - readNumber(status.lastLockTimestamp, 0)}ms`
  }
  const times = readNumber(status.tryUnlockTimes, 0)
  return status.droped === true && times > 0 ? `unlock ${times} times, still failed` : undefined
}

function blockedProblem(status: JsonObject, now: number): string | undefined {
  const idleMs = now - readNumber(status.lastConsumeTimestamp, 0)
  if (idleMs <= BLOCKED_MS || readNumber(status.cachedMsgCount, 0) === 0) return undefined
  return `can't consume for a while, maybe blocked, ${idleMs}ms`
}
