import type { MessageExt } from '../common/index.js'
import { messageId, messageText } from './message-text.js'
import type { Output } from './output.js'
import type { BodyDecoder } from './read-values.js'

/** One line per message: what printMsg, printMsgByQueue and consumeMessage print. */
export function printMessages(
  out: Output,
  messages: readonly MessageExt[],
  body: { decoder: BodyDecoder; isShown: boolean },
): void {
  for (const message of messages) {
    const text = body.isShown ? body.decoder.decode(message.body) : 'NOT PRINT BODY'
    out.line(`MSGID: ${messageId(message)} ${messageText(message)} BODY: ${text}`)
  }
}
