import { type AdminClient, type ConsumerConnection, MQClientError } from '../client/index.js'
import { hostAddressToString, type MessageExt, masterAddr, PropertyName, ResponseCode } from '../common/index.js'
import { routeAddresses } from './brokers.js'
import { exceptionText } from './failure-text.js'
import { groupConnection, groupConsumeStats } from './group-state.js'

export type TrackType =
  | 'CONSUMED'
  | 'CONSUMED_BUT_FILTERED'
  | 'PULL'
  | 'NOT_CONSUME_YET'
  | 'NOT_ONLINE'
  | 'CONSUME_BROADCASTING'
  | 'UNKNOWN'

/** What became of a message in one consumer group. */
export interface MessageTrack {
  consumerGroup: string
  trackType: TrackType
  exceptionDesc?: string
}

/** What became of a message in each group that reads its topic. */
export async function messageTracks(admin: AdminClient, message: MessageExt): Promise<MessageTrack[]> {
  const groups = new Set<string>()
  for (const { address } of routeAddresses(await admin.topicRoute(message.topic))) {
    for (const group of await admin.consumersOfTopic(address, message.topic)) groups.add(group)
  }
  const tracks: MessageTrack[] = []
  for (const consumerGroup of groups) tracks.push(await track(admin, message, consumerGroup))
  return tracks
}

export function trackText({ consumerGroup, trackType, exceptionDesc = 'null' }: MessageTrack): string {
  return `MessageTrack [consumerGroup=${consumerGroup}, trackType=${trackType}, exceptionDesc=${exceptionDesc}]`
}

async function track(admin: AdminClient, message: MessageExt, consumerGroup: string): Promise<MessageTrack> {
  try {
    const connection = await groupConnection(admin, consumerGroup)
    if (connection.consumeType !== 'CONSUME_PASSIVELY') {
      return { consumerGroup, trackType: connection.consumeType === 'CONSUME_ACTIVELY' ? 'PULL' : 'UNKNOWN' }
    }
    if (!(await isConsumed(admin, message, consumerGroup))) return { consumerGroup, trackType: 'NOT_CONSUME_YET' }
    return { consumerGroup, trackType: isFiltered(connection, message) ? 'CONSUMED_BUT_FILTERED' : 'CONSUMED' }
  } catch (error) {
    return { consumerGroup, ...failedTrack(error) }
  }
}

function failedTrack(error: unknown): Pick<MessageTrack, 'trackType' | 'exceptionDesc'> {
  const isRefusal = error instanceof MQClientError && error.code === 'ERR_CLIENT_RESPONSE'
  const responseCode = isRefusal ? error.responseCode : 0
  if (responseCode === ResponseCode.BROADCAST_CONSUMPTION) return { trackType: 'CONSUME_BROADCASTING' }
  // without a retry topic the group cannot even be asked
  if (!isRefusal || responseCode === ResponseCode.TOPIC_NOT_EXIST) {
    return { trackType: 'UNKNOWN', exceptionDesc: exceptionText(error, false) }
  }
  const exceptionDesc = `CODE:${responseCode} DESC:${error.remark ?? ''}`
  return { trackType: responseCode === ResponseCode.CONSUMER_NOT_ONLINE ? 'NOT_ONLINE' : 'UNKNOWN', exceptionDesc }
}

/** Whether the group's offset has passed the message, on the broker that stores it. */
async function isConsumed(admin: AdminClient, message: MessageExt, group: string): Promise<boolean> {
  const { queues } = await groupConsumeStats(admin, group)
  const { brokerAddrTable } = await admin.clusterInfo()
  const storeHost = hostAddressToString(message.storeHost)
  return queues.some(({ queue, consumerOffset }) => {
    const broker = brokerAddrTable.get(queue.brokerName)
    return (
      queue.topic === message.topic &&
      queue.queueId === message.queueId &&
      broker !== undefined &&
      masterAddr(broker) === storeHost &&
      consumerOffset > message.queueOffset
    )
  })
}

function isFiltered(connection: ConsumerConnection, message: MessageExt): boolean {
  const tags = connection.subscriptions.get(message.topic)?.tagsSet
  if (tags === undefined || tags.size === 0 || tags.has('*')) return false
  return !tags.has(message.properties.get(PropertyName.TAGS) ?? '')
}
