import {
  hasFlag,
  isTagType,
  locateRecord,
  matchesTagsCode,
  PullSysFlag,
  RecordProperties,
  type SqlFilter,
  takesEverything,
} from '../../common/index.js'
import type { MessageFilter } from '../../store/index.js'
import type { AdmittedPull } from './pull-admission.js'

/** The broker's side of a subscription; undefined when every message passes (broker-behaviour 8). */
export function messageFilter(pull: AdmittedPull, sysFlag: number): MessageFilter | undefined {
  const { subscription, filterData } = pull
  if (hasFlag(sysFlag, PullSysFlag.CLASS_FILTER) || takesEverything(subscription)) return undefined
  if (isTagType(subscription.expressionType))
    return { matchesQueueUnit: tagsCode => matchesTagsCode(subscription, tagsCode) }
  return sqlFilter(filterData?.compiledExpression)
}

/** An expression that never compiled matches nothing: Java's rule, so that a bad filter cannot flood its group. */
function sqlFilter(compiled: SqlFilter | undefined): MessageFilter {
  if (!compiled) return { matchesQueueUnit: () => false }
  const properties = new RecordProperties()
  return {
    matchesQueueUnit: () => true,
    matchesRecord: record => {
      const parts = locateRecord(record)
      return compiled.matches(properties.of(record, parts.propertiesStart, parts.propertiesEnd).get)
    },
  }
}
