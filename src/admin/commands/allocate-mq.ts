import { allocateAveragely } from '../../client/index.js'
import { stringifyFastJson } from '../../common/index.js'
import { queuesOf } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed } from '../option-spec.js'

export const allocateMQ = defineCommand({
  name: 'allocateMQ',
  description: 'Show which consumer would get which queues.',
  javaName: 'AllocateMQSubCommand',
  options: {
    topic: needed('t', 'name of the topic'),
    ipList: needed('i', 'consumers, separated by commas'),
  },
  async run({ options, admin, out }) {
    const consumers = options.ipList.split(',')
    const queues = queuesOf(await admin.topicRoute(options.topic), options.topic)
    const result = new Map(
      consumers.map(consumer => [
        consumer,
        allocateAveragely.allocate({ group: '', clientId: consumer, queues, clientIds: consumers }),
      ]),
    )
    out.line(stringifyFastJson({ result }))
    return result
  },
})
