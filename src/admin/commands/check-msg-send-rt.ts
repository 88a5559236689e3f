import { Producer } from '../../client/index.js'
import { errorText } from '../../util/index.js'
import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'
import { wholeNumber } from '../read-values.js'

const ROW = '%-32s  %-4s  %-20s    %s'

export const checkMsgSendRT = defineCommand({
  name: 'checkMsgSendRT',
  description: 'Send messages to a topic, queue after queue, and show how long each takes.',
  javaName: 'CheckMsgSendRTCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    amount: optional('a', 'number of messages (100)'),
    size: optional('s', 'bytes of a body (128)'),
  },
  async run({ options, out, namesrvAddr, clock }) {
    const amount = wholeNumber(options.amount, 100)
    const body = Buffer.alloc(wholeNumber(options.size, 128), 'a')
    const producer = new Producer({ group: `mqadmin-rt-${clock.now()}`, namesrvAddr: [...namesrvAddr], clock })
    const sends: { brokerName: string; queueId: number; isSent: boolean; rtMs: number }[] = []
    await producer.start()
    try {
      const queues = await producer.publishQueues(options.topic)
      out.row(ROW, '#Broker Name', '#QID', '#Send Result', '#RT')
      for (let i = 0; i < amount; i++) {
        const queue = queues[i % queues.length]!
        const begin = clock.monotonic()
        const isSent = await producer.send({ topic: options.topic, body }, { queue }).then(
          () => true,
          (error: unknown) => {
            out.failure(`message ${i + 1}: ${errorText(error)}`)
            return false
          },
        )
        const rtMs = Math.round(clock.monotonic() - begin)
        out.row(ROW, queue.brokerName, queue.queueId, isSent, rtMs)
        sends.push({ brokerName: queue.brokerName, queueId: queue.queueId, isSent, rtMs })
      }
    } finally {
      await producer.stop()
    }
    // the first one also opens the connection
    const rest = sends.slice(1)
    const averageMs = rest.reduce((sum, { rtMs }) => sum + rtMs, 0) / Math.max(1, rest.length)
    out.row('Avg RT: %.2f', averageMs)
    return { averageMs, sends }
  },
})
