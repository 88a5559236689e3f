import { type MessageQueue, messageQueueFromJson, readArray, readString } from '../../common/index.js'
import type { RemotingCommand } from '../../remoting/index.js'
import { readJsonBody } from './admin/read-body.js'

/** The body of 41 and 42. `onlyThisBroker` matters only where several replicas must agree. */
export interface LockBatchBody {
  consumerGroup: string
  clientId: string
  mqSet: MessageQueue[]
}

/** @throws ResponseError SYSTEM_ERROR when the body is not JSON. */
export function readLockBatch(command: Pick<RemotingCommand, 'body'>): LockBatchBody {
  const object = readJsonBody(command)
  return {
    consumerGroup: readString(object.consumerGroup, ''),
    clientId: readString(object.clientId, ''),
    mqSet: readArray(object.mqSet).map(messageQueueFromJson),
  }
}
