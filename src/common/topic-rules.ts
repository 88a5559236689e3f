/** Names of topics and groups: what they may look like, which belong to the system, how derived ones are made. */

export const RETRY_TOPIC_PREFIX = '%RETRY%'
export const DLQ_TOPIC_PREFIX = '%DLQ%'
export const LMQ_PREFIX = '%LMQ%'
export const SYSTEM_TOPIC_PREFIX = 'rmq_sys_'
export const LMQ_QUEUE_ID = 0
export const MULTI_DISPATCH_SEPARATOR = ','
export const MASTER_ID = 0

export const SystemTopic = {
  AUTO_CREATE_TOPIC_KEY: 'TBW102',
  SCHEDULE: 'SCHEDULE_TOPIC_XXXX',
  BENCHMARK: 'BenchmarkTest',
  TRANS_HALF: 'RMQ_SYS_TRANS_HALF_TOPIC',
  TRANS_OP_HALF: 'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  TRANS_CHECK_MAX_TIME: 'TRANS_CHECK_MAX_TIME_TOPIC',
  TRACE: 'RMQ_SYS_TRACE_TOPIC',
  SELF_TEST: 'SELF_TEST_TOPIC',
  OFFSET_MOVED_EVENT: 'OFFSET_MOVED_EVENT',
  ROCKSDB_OFFSET: 'CHECKPOINT_TOPIC',
  TIMER_WHEEL: 'rmq_sys_wheel_timer',
} as const

/** The fixed system topics; every `rmq_sys_*` name is one as well. */
export const systemTopics: ReadonlySet<string> = new Set([
  SystemTopic.AUTO_CREATE_TOPIC_KEY,
  SystemTopic.SCHEDULE,
  SystemTopic.BENCHMARK,
  SystemTopic.TRANS_HALF,
  SystemTopic.TRACE,
  SystemTopic.TRANS_OP_HALF,
  SystemTopic.TRANS_CHECK_MAX_TIME,
  SystemTopic.SELF_TEST,
  SystemTopic.OFFSET_MOVED_EVENT,
  SystemTopic.ROCKSDB_OFFSET,
])

/** System topics that clients may not send to. */
export const notAllowedSendTopics: ReadonlySet<string> = new Set([
  SystemTopic.SCHEDULE,
  SystemTopic.TRANS_HALF,
  SystemTopic.TRANS_OP_HALF,
  SystemTopic.TRANS_CHECK_MAX_TIME,
  SystemTopic.SELF_TEST,
  SystemTopic.OFFSET_MOVED_EVENT,
])

export const SystemGroup = {
  DEFAULT_CONSUMER: 'DEFAULT_CONSUMER',
  DEFAULT_PRODUCER: 'DEFAULT_PRODUCER',
  TOOLS_CONSUMER: 'TOOLS_CONSUMER',
  SCHEDULE_CONSUMER: 'SCHEDULE_CONSUMER',
  FILTERSRV_CONSUMER: 'FILTERSRV_CONSUMER',
  MONITOR_CONSUMER: '__MONITOR_CONSUMER',
  CLIENT_INNER_PRODUCER: 'CLIENT_INNER_PRODUCER',
  SELF_TEST_PRODUCER: 'SELF_TEST_P_GROUP',
  SELF_TEST_CONSUMER: 'SELF_TEST_C_GROUP',
  ONS_HTTP_PROXY: 'CID_ONS-HTTP-PROXY',
  ONSAPI_PERMISSION: 'CID_ONSAPI_PERMISSION',
  ONSAPI_OWNER: 'CID_ONSAPI_OWNER',
  ONSAPI_PULL: 'CID_ONSAPI_PULL',
  SYS_RMQ_TRANS: 'CID_RMQ_SYS_TRANS',
} as const

const CID_RMQ_SYS_PREFIX = 'CID_RMQ_SYS_'

/** Groups every broker knows without being told. */
export const predefinedGroups: ReadonlySet<string> = new Set(Object.values(SystemGroup))

const TOPIC_MAX_LENGTH = 127
const DERIVED_TOPIC_MAX_LENGTH = 255
/** What release 5.3.3 accepts for a group; later ones 120. */
const GROUP_MAX_LENGTH = 255

const legalName = /^[%|a-zA-Z0-9_-]*$/
const notBlank = /\S/

/** Whether a topic or group name holds a character outside `^[%|a-zA-Z0-9_-]+$`. */
export function hasIllegalCharacters(name: string): boolean {
  return !legalName.test(name)
}

/** Why a topic name is refused, in the words of release 5.3.3 (clients match on them); undefined when it is fine. */
export function topicNameProblem(topic: string): string | undefined {
  if (!notBlank.test(topic)) return 'The specified topic is blank.'
  if (hasIllegalCharacters(topic)) {
    return 'The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$'
  }
  // retry topics of long group names exist in stores, so they get the room that later releases give them
  const limit = isRetryTopic(topic) || isDlqTopic(topic) ? DERIVED_TOPIC_MAX_LENGTH : TOPIC_MAX_LENGTH
  return topic.length > limit ? 'The specified topic is longer than topic max length.' : undefined
}

/** Why a group name is refused; undefined when it is fine. */
export function groupNameProblem(group: string): string | undefined {
  if (!notBlank.test(group)) return 'The specified group is blank.'
  if (hasIllegalCharacters(group)) {
    return `The specified group: ${group}, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`
  }
  if (group.length > GROUP_MAX_LENGTH) {
    return `The specified group: ${group}, is longer than group max length: ${GROUP_MAX_LENGTH}`
  }
  return undefined
}

/** Remark (code 29) when an admin request names a system topic. */
export function systemTopicConflict(topic: string): string {
  return `The topic[${topic}] is conflict with system topic.`
}

/** Remark (code 16) when a send names a topic of {@link notAllowedSendTopics}. */
export function sendForbidden(topic: string): string {
  return `Sending message to topic[${topic}] is forbidden.`
}

export function isSystemTopic(topic: string): boolean {
  return systemTopics.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX)
}

export function isSystemGroup(group: string): boolean {
  return predefinedGroups.has(group) || group.startsWith(CID_RMQ_SYS_PREFIX)
}

/** Whether a group is made by the system itself (`CID_RMQ_SYS_*`) and so never by auto-creation. */
export function isInternalGroup(group: string): boolean {
  return group.startsWith(CID_RMQ_SYS_PREFIX)
}

const notPullGroups: ReadonlySet<string> = new Set([
  SystemGroup.DEFAULT_PRODUCER,
  SystemGroup.CLIENT_INNER_PRODUCER,
  SystemGroup.SELF_TEST_PRODUCER,
])

/** Whether a pull of this group is the system's own, and so left out of the statistics of consumption. */
export function isSystemPullGroup(group: string): boolean {
  return isSystemGroup(group) && !notPullGroups.has(group)
}

export function retryTopic(group: string): string {
  return RETRY_TOPIC_PREFIX + group
}

export function dlqTopic(group: string): string {
  return DLQ_TOPIC_PREFIX + group
}

/** Retry topic of a group for one topic consumed by POP; `v2` separates with `+`, which no name may contain. */
export function popRetryTopic(topic: string, group: string, v2 = false): string {
  return `${RETRY_TOPIC_PREFIX}${group}${v2 ? '+' : '_'}${topic}`
}

export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_TOPIC_PREFIX)
}

export function isDlqTopic(topic: string): boolean {
  return topic.startsWith(DLQ_TOPIC_PREFIX)
}

/** The group a `%RETRY%` or `%DLQ%` topic belongs to (the whole rest of the name); undefined for other topics. */
export function groupOfDerivedTopic(topic: string): string | undefined {
  if (isRetryTopic(topic)) return topic.slice(RETRY_TOPIC_PREFIX.length)
  if (isDlqTopic(topic)) return topic.slice(DLQ_TOPIC_PREFIX.length)
  return undefined
}

export function isLmq(topic: string): boolean {
  return topic.startsWith(LMQ_PREFIX)
}

/** Whether messages of a topic may be dispatched to light queues as well. */
export function topicAllowsLmq(topic: string): boolean {
  return !isRetryTopic(topic) && !topic.startsWith(SYSTEM_TOPIC_PREFIX) && topic !== SystemTopic.SCHEDULE
}

export function replyTopic(cluster: string): string {
  return `${cluster}_REPLY_TOPIC`
}

export function reviveTopic(cluster: string): string {
  return `${SYSTEM_TOPIC_PREFIX}REVIVE_LOG_${cluster}`
}

export function syncBrokerMemberTopic(brokerName: string): string {
  return `${SYSTEM_TOPIC_PREFIX}SYNC_BROKER_MEMBER_${brokerName}`
}
