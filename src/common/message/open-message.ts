import { MQError } from '../../util/index.js'
import { compressionType, hasFlag, isCompressed, MessageSysFlag } from '../sys-flag.js'
import { decodeBatch } from './batch-element.js'
import { decompressBody } from './compression.js'
import type { MessageExt } from './message.js'

/** Whether a message needs {@link openMessages} before an application may see it. */
export function isSealed(message: MessageExt): boolean {
  return isCompressed(message.sysFlag) || isInnerBatch(message)
}

function isInnerBatch(message: MessageExt): boolean {
  return hasFlag(message.sysFlag, MessageSysFlag.NEED_UNWRAP | MessageSysFlag.INNER_BATCH)
}

/** Unpacks a compressed body in place and clears the COMPRESSED flag; does nothing to other messages. */
export async function decompressMessage(message: MessageExt): Promise<MessageExt> {
  if (!isCompressed(message.sysFlag)) return message
  const type = compressionType(message.sysFlag)
  if (type === undefined) {
    throw new MQError('ERR_UNKNOWN_COMPRESSION', `message ${message.offsetMsgId} has an unknown compression type`)
  }
  message.body = await decompressBody(message.body, type)
  message.sysFlag &= ~MessageSysFlag.COMPRESSED
  return message
}

/** The messages inside an inner batch, or the message itself. */
export function unwrapInnerBatch(message: MessageExt): MessageExt[] {
  if (!isInnerBatch(message)) return [message]
  return decodeBatch(message.body).map((element, i) => ({
    ...message,
    ...element,
    queueOffset: message.queueOffset + i,
  }))
}

/** What a client does with pulled records: unpack bodies, take inner batches apart. */
export async function openMessages(messages: readonly MessageExt[]): Promise<MessageExt[]> {
  const opened: MessageExt[] = []
  for (const message of messages) {
    if (isSealed(message)) opened.push(...unwrapInnerBatch(await decompressMessage(message)))
    else opened.push(message)
  }
  return opened
}
