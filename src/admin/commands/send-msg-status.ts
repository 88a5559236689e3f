import { Producer } from '../../client/index.js'
import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { wholeNumber } from '../read-values.js'
import { sendResultText } from '../resend.js'

export const sendMsgStatus = defineCommand({
  name: 'sendMsgStatus',
  description: 'Send messages to a broker and show how long each takes.',
  javaName: 'SendMsgStatusCommand',
  options: {
    brokerName: needed('b', 'name of the broker, which has a topic of that name'),
    messageSize: optional('s', 'bytes of a body (128)'),
    count: optional('c', 'number of messages (50)'),
  },
  async run({ options, out, namesrvAddr, clock }) {
    const body = Buffer.alloc(wholeNumber(options.messageSize, 128), 'hello mqadmin ')
    const message = { topic: options.brokerName, body }
    const count = wholeNumber(options.count, 50)
    const producer = new Producer({ group: 'PID_SMSC', namesrvAddr: [...namesrvAddr], clock })
    const sends: object[] = []
    await producer.start()
    try {
      // the first one opens the connection and is not shown
      await producer.send(message)
      for (let i = 0; i < count; i++) {
        const begin = clock.monotonic()
        const result = await producer.send(message)
        const rtMs = Math.round(clock.monotonic() - begin)
        out.line(`rt=${rtMs}ms, SendResult=${sendResultText(result)}`)
        sends.push({ rtMs, ...result })
      }
    } finally {
      await producer.stop()
    }
    return sends
  },
})
