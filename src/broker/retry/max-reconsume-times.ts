import { type SubscriptionGroupConfig, VersionMark } from '../../common/index.js'

/** How often a message may be given back: what a client new enough to mean it says, else the group's limit. */
export function maxReconsumeTimes(
  group: Pick<SubscriptionGroupConfig, 'retryMaxTimes'>,
  header: { readonly maxReconsumeTimes?: number | undefined },
  clientVersion: number,
): number {
  const ofClient = clientVersion >= VersionMark.V3_4_9 ? header.maxReconsumeTimes : undefined
  return ofClient ?? group.retryMaxTimes
}
