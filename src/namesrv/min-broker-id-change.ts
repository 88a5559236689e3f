import { minBrokerId } from './route-tables.js'

/** Another broker has the lowest id of its name now; what NOTIFY_MIN_BROKER_ID_CHANGE (905) tells, and whom. */
export interface MinBrokerIdChange {
  readonly brokerName: string
  readonly minBrokerId: number
  readonly minBrokerAddr: string
  /** The broker that left, when that is the cause. */
  readonly offlineBrokerAddr?: string
  /** Where the new one replicates from, when it has joined. */
  readonly haBrokerAddr?: string
  readonly recipients: readonly string[]
}

/** A broker left: all that remain are told. Undefined when nobody remains. */
export function changeByLeaving(
  brokerName: string,
  remaining: ReadonlyMap<number, string>,
  offlineBrokerAddr: string,
): MinBrokerIdChange | undefined {
  const min = minBrokerId(remaining)
  if (min === undefined) return undefined
  const recipients = [...remaining.values()]
  return { brokerName, minBrokerId: min, minBrokerAddr: remaining.get(min)!, offlineBrokerAddr, recipients }
}

/** A broker joined with the lowest id: the others are told, or itself when it is alone. */
export function changeByJoining(
  brokerName: string,
  brokerAddrs: ReadonlyMap<number, string>,
  haBrokerAddr: string,
): MinBrokerIdChange {
  const min = minBrokerId(brokerAddrs)!
  const others = [...brokerAddrs].filter(([id]) => brokerAddrs.size === 1 || id !== min)
  return {
    brokerName,
    minBrokerId: min,
    minBrokerAddr: brokerAddrs.get(min)!,
    haBrokerAddr,
    recipients: others.map(([, addr]) => addr),
  }
}
