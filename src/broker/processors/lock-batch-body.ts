import {
  type MessageQueue,
  messageQueueFromJson,
  parseFastJson,
  readArray,
  readObject,
  readString,
} from '../../common/index.js'

/** The body of 41 and 42. `onlyThisBroker` matters only where several replicas must agree. */
export interface LockBatchBody {
  consumerGroup: string
  clientId: string
  mqSet: MessageQueue[]
}

export function readLockBatch(body: Buffer): LockBatchBody {
  const object = readObject(parseFastJson(body))
  return {
    consumerGroup: readString(object.consumerGroup, ''),
    clientId: readString(object.clientId, ''),
    mqSet: readArray(object.mqSet).map(messageQueueFromJson),
  }
}
