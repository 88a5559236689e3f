import {
  decodeProperties,
  encodeProperties,
  MessageSysFlag,
  NAME_VALUE_SEPARATOR,
  PropertyName,
  ResponseCode,
  ResponseError,
  transactionType,
  withTransactionType,
} from '../../common/index.js'
import type { MessageToStore } from '../../store/index.js'
import type { SpecialMessageRule } from '../put/special-messages.js'
import type { BrokerSettings } from '../settings.js'
import { FIRST_HALF_OFFSET, HALF_QUEUE_ID, HALF_TOPIC } from './half-message.js'

const PREPARED = `${PropertyName.TRANSACTION_PREPARED}${NAME_VALUE_SEPARATOR}`

/**
 * Stores messages with TRAN_MSG as half messages: out of sight of consumers until they are committed (broker-behaviour
 * 7.1). What was committed once carries the property for ever and is known by its flag.
 * @throws ResponseError NO_PERMISSION when this broker takes no transactions.
 */
export function halfMessageRule(
  settings: Pick<BrokerSettings, 'rejectTransactionMessage' | 'brokerIP1'>,
): SpecialMessageRule {
  return message => {
    if (transactionType(message.sysFlag) === MessageSysFlag.TRANSACTION_COMMIT_TYPE) return undefined
    if (!message.properties.includes(PREPARED)) return undefined
    const properties = decodeProperties(message.properties.toString())
    if (!isTransactional(message, properties)) return undefined
    if (settings.rejectTransactionMessage)
      throw new ResponseError(
        ResponseCode.NO_PERMISSION,
        `the broker[${settings.brokerIP1}] sending transaction message is forbidden`,
      )
    hide(message, properties)
    return undefined
  }
}

/** Clients before 4.6.1 send retries with the properties of the message they could not consume. */
function isTransactional(message: MessageToStore, properties: ReadonlyMap<string, string>): boolean {
  if (properties.get(PropertyName.TRANSACTION_PREPARED)?.toLowerCase() !== 'true') return false
  return !(message.reconsumeTimes > 0 && Number(properties.get(PropertyName.DELAY) ?? 0) > 0)
}

function hide(message: MessageToStore, properties: Map<string, string>): void {
  const uniqKey = properties.get(PropertyName.UNIQ_KEY)
  if (uniqKey !== undefined) properties.set(PropertyName.TRANSACTION_ID, uniqKey)
  properties.set(PropertyName.REAL_TOPIC, message.topic)
  properties.set(PropertyName.REAL_QUEUE_ID, String(message.queueId))
  // what only copies made by a broker may carry: a message that was consumed and sent on may still have them
  properties.delete(FIRST_HALF_OFFSET)
  properties.delete(PropertyName.TRANSACTION_PREPARED_QUEUE_OFFSET)
  message.properties = encodeProperties(properties)
  message.topic = HALF_TOPIC
  message.queueId = HALF_QUEUE_ID
  message.sysFlag = withTransactionType(message.sysFlag, MessageSysFlag.TRANSACTION_NOT_TYPE)
}
