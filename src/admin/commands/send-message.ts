import { Producer } from '../../client/index.js'
import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { isTrue, wholeNumber } from '../read-values.js'

const ROW = '%-32s  %-4s  %-20s    %s'

export const sendMessage = defineCommand({
  name: 'sendMessage',
  description: 'Send one message.',
  javaName: 'SendMessageCommand',
  wrapper: 'RuntimeException',
  options: {
    topic: needed('t', 'name of the topic'),
    body: needed('p', 'body of the message, sent as UTF-8'),
    key: optional('k', 'keys of the message, separated by blanks'),
    tags: optional('c', 'tag of the message'),
    broker: optional('b', 'name of the broker, with -i'),
    qid: optional('i', 'id of the queue on that broker'),
    msgTraceEnable: optional('m', 'whether the send is traced (true|false)'),
  },
  async run({ options, out, namesrvAddr, clock }) {
    const { topic, broker, qid } = options
    if (qid !== undefined && broker === undefined) {
      out.text('Broker name must be set if the queue is chosen!')
      out.problem('nothing was sent: -i needs -b')
      return undefined
    }
    if (broker !== undefined && qid === undefined) out.problem('-b without -i chooses nothing: any broker may get it')
    const queue =
      broker === undefined || qid === undefined
        ? undefined
        : { topic, brokerName: broker, queueId: wholeNumber(qid, 0) }
    const message = {
      topic,
      body: options.body,
      ...(options.tags === undefined ? {} : { tags: options.tags }),
      ...(options.key === undefined ? {} : { keys: options.key }),
    }
    const producer = new Producer({
      group: `mqadmin-${clock.now()}`,
      namesrvAddr: [...namesrvAddr],
      enableTrace: isTrue(options.msgTraceEnable),
      clock,
    })
    await producer.start()
    try {
      const result = await producer.send(message, queue === undefined ? {} : { queue })
      out.row(ROW, '#Broker Name', '#QID', '#Send Result', '#MsgId')
      out.row(ROW, result.queue.brokerName, result.queue.queueId, result.status, result.msgId)
      if (result.status !== 'SEND_OK') out.problem(`stored, but ${result.status}`)
      return result
    } finally {
      await producer.stop()
    }
  },
})
