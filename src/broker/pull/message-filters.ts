import {
  type BloomFilter,
  hasFlag,
  isRetryTopic,
  isTagType,
  locateRecord,
  matchesTagsCode,
  PropertyName,
  PullSysFlag,
  RecordProperties,
  takesEverything,
} from '../../common/index.js'
import type { ExtUnit, MessageFilter } from '../../store/index.js'
import type { ConsumerFilterData } from '../offset/consumer-filter-manager.js'
import type { AdmittedPull } from './pull-admission.js'

/**
 * The broker's side of a subscription; undefined when every message passes (broker-behaviour 8).
 * @param ofRetried the expression of the group for the topic that a retried message came from (`filterSupportRetry`).
 */
export function messageFilter(
  pull: Pick<AdmittedPull, 'subscription' | 'filterData'>,
  sysFlag: number,
  bloomFilter: BloomFilter,
  ofRetried?: (topic: string) => ConsumerFilterData | undefined,
): MessageFilter | undefined {
  const { subscription, filterData } = pull
  if (hasFlag(sysFlag, PullSysFlag.CLASS_FILTER) || takesEverything(subscription)) return undefined
  if (isTagType(subscription.expressionType))
    return { matchesQueueUnit: tagsCode => matchesTagsCode(subscription, tagsCode) }
  if (ofRetried !== undefined && isRetryTopic(subscription.topic)) return retryFilter(ofRetried)
  return sqlFilter(filterData, bloomFilter)
}

/** Retried messages pass by the expression of the topic they came from; where there is none, all do. */
function retryFilter(filterOf: (topic: string) => ConsumerFilterData | undefined): MessageFilter {
  const properties = new RecordProperties()
  return {
    matchesQueueUnit: () => true,
    matchesRecord: (bytes, start) => {
      const parts = locateRecord(bytes, asInt(start))
      const { get } = properties.of(bytes, parts.propertiesStart, parts.propertiesEnd)
      const topic = get(PropertyName.RETRY_TOPIC)
      const compiled = topic === undefined ? undefined : filterOf(topic)?.compiledExpression
      return compiled === undefined || compiled.matches(get)
    },
  }
}

/** An expression that never compiled matches nothing: Java's rule, so that a bad filter cannot flood its group. */
function sqlFilter(filterData: ConsumerFilterData | undefined, bloomFilter: BloomFilter): MessageFilter {
  const compiled = filterData?.compiledExpression
  if (!compiled) return { matchesQueueUnit: () => false }
  return {
    matchesQueueUnit: (_tagsCode, extension, physicalOffset) =>
      extension?.bitMap === undefined ||
      !isInLife(filterData, extension, physicalOffset) ||
      mayMatch(filterData, extension.bitMap, bloomFilter),
    matchesRecord: (bytes, start) => {
      const parts = locateRecord(bytes, asInt(start))
      return compiled.matchesBytes(bytes, parts.propertiesStart, parts.propertiesEnd)
    },
  }
}

/**
 * Positions in a file are less than 2^31, but come out of offsets that are not: as floating point numbers they would
 * make each byte that is looked at cost three times as much.
 */
function asInt(position: number): number {
  return position | 0
}

/** Whether the expression was there already when the bits were worked out. */
function isInLife(filterData: ConsumerFilterData, extension: ExtUnit, physicalOffset: number): boolean {
  const { bornTime, bornOffset } = filterData
  return bornOffset === undefined ? extension.storeTimestamp > bornTime : physicalOffset >= bornOffset
}

/** What the bits say: no surely, or perhaps; those of a filter of another size say nothing. */
function mayMatch({ bloomFilterData: data }: ConsumerFilterData, bits: Buffer, bloomFilter: BloomFilter): boolean {
  if (data === undefined || !bloomFilter.isValid(data) || bits.length * 8 !== data.bitNum) return true
  return bloomFilter.isHit(data, bits)
}
