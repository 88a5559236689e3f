import { javaHash, MQError } from '../util/index.js'
import {
  type JsonValue,
  readArray,
  readBoolean,
  readNumber,
  readObject,
  readString,
  readStrings,
} from './json/index.js'

export const SUB_ALL = '*'
export const ExpressionType = { TAG: 'TAG', SQL92: 'SQL92' } as const

/** One topic a consumer group reads, and what of it. Its JSON has these names. */
export interface SubscriptionData {
  topic: string
  /** `*`, a tag expression, or SQL92 text. */
  subString: string
  /** Empty means everything, for expressions of type TAG. */
  tagsSet: Set<string>
  /** Java's hash of each tag. */
  codeSet: Set<number>
  /** Ms when the client made it: a larger one replaces a smaller one. */
  subVersion: number
  expressionType: string
  classFilterMode: boolean
  filterClassSource?: string
}

/** TAG, or anything that older clients leave out. */
export function isTagType(expressionType: string | undefined): boolean {
  return expressionType === undefined || expressionType === '' || expressionType === ExpressionType.TAG
}

export interface Subscription {
  topic: string
  /** Default `*`. */
  expression?: string | undefined
  /** Default TAG. */
  expressionType?: string | undefined
  /** Ms; 0 when it does not matter. */
  subVersion: number
}

/**
 * Builds the subscription a client sends. Tags are separated by `||`. Throws MQError `ERR_BAD_SUBSCRIPTION` for an
 * expression of separators only, and for an empty one of another type than TAG.
 */
export function buildSubscriptionData(subscription: Subscription): SubscriptionData {
  const { topic, expression, expressionType, subVersion } = subscription
  const data: SubscriptionData = {
    topic,
    subString: expression || SUB_ALL,
    tagsSet: new Set(),
    codeSet: new Set(),
    subVersion,
    expressionType: expressionType || ExpressionType.TAG,
    classFilterMode: false,
  }
  if (!isTagType(expressionType)) {
    if (!expression) throw new MQError('ERR_BAD_SUBSCRIPTION', `Expression can't be null! ${expressionType}`)
    return data
  }
  if (data.subString === SUB_ALL) return data
  const parts = data.subString.split('||')
  // Java's split drops empty parts at the end, so nothing but separators is no part at all
  if (parts.every(part => part === '')) throw new MQError('ERR_BAD_SUBSCRIPTION', 'subString split error')
  for (const tag of parts.map(javaTrim)) {
    if (tag === '') continue
    data.tagsSet.add(tag)
    data.codeSet.add(javaHash(tag))
  }
  return data
}

/** Java's `trim` cuts characters up to the blank, not all of Unicode's white space. */
function javaTrim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}

export function subscriptionDataFromJson(json: JsonValue | undefined): SubscriptionData {
  const object = readObject(json)
  const filterClassSource = readString(object.filterClassSource)
  return {
    topic: readString(object.topic, ''),
    subString: readString(object.subString, SUB_ALL),
    tagsSet: new Set(readStrings(object.tagsSet)),
    codeSet: new Set(readArray(object.codeSet).map(code => readNumber(code, 0))),
    subVersion: readNumber(object.subVersion, 0),
    expressionType: readString(object.expressionType) || ExpressionType.TAG,
    classFilterMode: readBoolean(object.classFilterMode, false),
    ...(filterClassSource === undefined ? {} : { filterClassSource }),
  }
}

/** Whether two say the same, apart from their versions. */
export function sameSubscription(a: SubscriptionData, b: SubscriptionData): boolean {
  return (
    a.topic === b.topic &&
    a.subString === b.subString &&
    a.expressionType === b.expressionType &&
    a.classFilterMode === b.classFilterMode &&
    sameSet(a.tagsSet, b.tagsSet) &&
    sameSet(a.codeSet, b.codeSet)
  )
}

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every(item => b.has(item))
}
