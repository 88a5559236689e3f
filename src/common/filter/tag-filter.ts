import { isTagType, SUB_ALL, type SubscriptionData } from '../subscription-data.js'

/** Whether the subscription takes every message of its topic (SQL92 never counts as that). */
export function takesEverything(subscription: SubscriptionData): boolean {
  return isTagType(subscription.expressionType) && subscription.subString === SUB_ALL
}

/**
 * The broker's check of a queue entry against a TAG subscription. `tagsCode` is Java's hash of the tag; several tags
 * may share one, so clients compare the texts again.
 */
export function matchesTagsCode(subscription: SubscriptionData, tagsCode: number): boolean {
  return subscription.classFilterMode || subscription.subString === SUB_ALL || subscription.codeSet.has(tagsCode | 0)
}

/** The client's check of a delivered message. */
export function matchesTag(subscription: SubscriptionData, tag: string | undefined): boolean {
  if (subscription.tagsSet.size === 0 || subscription.classFilterMode) return true
  return tag !== undefined && subscription.tagsSet.has(tag)
}
