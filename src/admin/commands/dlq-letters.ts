import type { AdminClient } from '../../client/index.js'
import {
  dlqTopic,
  isReadable,
  KEY_SEPARATOR,
  type MessageExt,
  type MessageQueue,
  PropertyName,
} from '../../common/index.js'
import { MQError } from '../../util/index.js'
import { findRoute } from '../brokers.js'
import { messageData, messageId } from '../message-text.js'

/** Which dead letters are meant; what is left out takes all. */
export interface DeadLetterSelection {
  /** One of the words of its KEYS. */
  readonly key?: string | undefined
  /** Unique keys, offset ids of the dead letter, or first ids of the message. */
  readonly ids?: ReadonlySet<string> | undefined
  /** Topic it was consumed from. */
  readonly topic?: string | undefined
  /** Ms since 1970: when it became a dead letter, both inclusive; 0 is no bound. */
  readonly begin: number
  readonly end: number
  /** Most dead letters to give. */
  readonly count: number
}

const PULL_SIZE = 32

/**
 * The dead letters of a group, of each queue the oldest first.
 * @throws MQError ERR_DLQ_UNKNOWN when the group has none, ERR_DLQ_NOT_READABLE when a broker keeps them from readers
 */
export async function* deadLetters(
  admin: AdminClient,
  group: string,
  selection: DeadLetterSelection,
): AsyncGenerator<MessageExt> {
  let left = selection.count
  for (const queue of await dlqQueues(admin, group)) {
    for await (const message of lettersOf(admin, queue, selection)) {
      if (left-- <= 0) return
      yield message
    }
  }
}

async function dlqQueues(admin: AdminClient, group: string): Promise<MessageQueue[]> {
  const topic = dlqTopic(group)
  const route = await findRoute(admin, topic)
  if (route === undefined) {
    throw new MQError('ERR_DLQ_UNKNOWN', `group ${group} has no dead letters: the NameServer knows no topic ${topic}`)
  }
  const closed = route.queueDatas.find(({ perm }) => !isReadable(perm))
  if (closed !== undefined) {
    throw new MQError(
      'ERR_DLQ_NOT_READABLE',
      `${topic} may not be read on ${closed.brokerName} (perm ${closed.perm}); brokers of 4.x make it so. ` +
        `Open it with: mqadmin updateTopicPerm -t ${topic} -p 6 -b <address of ${closed.brokerName}>`,
    )
  }
  return route.queueDatas.flatMap(({ brokerName, readQueueNums }) =>
    Array.from({ length: readQueueNums }, (_, queueId) => ({ topic, brokerName, queueId })),
  )
}

async function* lettersOf(
  admin: AdminClient,
  queue: MessageQueue,
  selection: DeadLetterSelection,
): AsyncGenerator<MessageExt> {
  const end = await admin.maxOffset(queue)
  let offset = selection.begin > 0 ? await admin.searchOffset(queue, selection.begin) : await admin.minOffset(queue)
  while (offset < end) {
    const pulled = await admin.pull({ queue, offset, maxNums: PULL_SIZE })
    for (const message of pulled.messages) {
      message.brokerName = queue.brokerName
      if (isSelected(message, selection)) yield message
    }
    // a queue whose beginning was cleaned meanwhile says where it goes on
    if (pulled.nextBeginOffset <= offset) return
    offset = pulled.nextBeginOffset
  }
}

function isSelected(message: MessageExt, { key, ids, topic, begin, end }: DeadLetterSelection): boolean {
  const { properties, storeTimestamp, offsetMsgId } = message
  if (storeTimestamp < begin || (end > 0 && storeTimestamp > end)) return false
  if (topic !== undefined && originTopic(message) !== topic) return false
  if (key !== undefined && !(properties.get(PropertyName.KEYS) ?? '').split(KEY_SEPARATOR).includes(key)) return false
  if (ids === undefined) return true
  const own = [messageId(message), offsetMsgId, properties.get(PropertyName.ORIGIN_MESSAGE_ID)]
  return own.some(id => id !== undefined && ids.has(id))
}

/** The topic a dead letter was consumed from; undefined when it does not say. */
export function originTopic({ properties }: MessageExt): string | undefined {
  return properties.get(PropertyName.RETRY_TOPIC)
}

/** Why a consumer gave it up, where that is known. */
export function deathReason({ properties }: MessageExt): string | undefined {
  return properties.get(PropertyName.DLQ_REASON)
}

/** A dead letter for `--json`. */
export function deadLetterData(message: MessageExt): object {
  return {
    ...messageData(message),
    originTopic: originTopic(message),
    originMessageId: message.properties.get(PropertyName.ORIGIN_MESSAGE_ID),
    reason: deathReason(message),
  }
}
