import { badArgument } from '../client-error.js'

export interface RecallHandle {
  topic: string
  brokerName: string
  /** Ms: when the message is due. */
  timestamp: number
  msgId: string
}

/** Reads the handle of a pending timer message: base64url of `v1 topic broker timestamp id`. @throws MQClientError */
export function decodeRecallHandle(handle: string): RecallHandle {
  const parts = Buffer.from(handle, 'base64url').toString('latin1').split(' ')
  const [version, topic, brokerName, timestamp, msgId] = parts
  if (parts.length !== 5 || version !== 'v1' || !topic || !brokerName || !msgId || !/^\d+$/.test(timestamp!)) {
    throw badArgument('recall handle is invalid: pass the recallHandle of a send result as it is')
  }
  return { topic, brokerName, timestamp: Number(timestamp), msgId }
}
