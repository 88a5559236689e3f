import { MQClientError, type OffsetResetEffect } from '../../client/index.js'
import { compareMessageQueues, ResponseCode } from '../../common/index.js'
import { routeAddresses } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed, optional, ownFlag } from '../option-spec.js'
import { previewOnBrokers, printEffects } from '../reset-offsets.js'

export const undoResetOffset = defineCommand({
  name: 'undoResetOffset',
  description: 'Take the last offset reset of a consumer group back.',
  javaName: 'UndoResetOffsetCommand',
  refusals: 'client',
  options: {
    group: needed('g', 'name of the consumer group'),
    topic: needed('t', 'name of the topic'),
    broker: optional('b', 'only on this broker (all of the topic)'),
    preview: ownFlag('show what would be delivered again or skipped, and change nothing'),
  },
  async run({ options, admin, out }) {
    const { topic, group, broker } = options
    const addresses =
      broker === undefined ? routeAddresses(await admin.topicRoute(topic)).map(({ address }) => address) : [broker]
    const queues: OffsetResetEffect[] = []
    let missing: unknown
    for (const address of addresses) {
      try {
        const wish = { topic, group, timestamp: -1, undo: true }
        const effects = options.preview
          ? await previewOnBrokers(admin, [address], wish)
          : await admin.undoResetOffset(address, topic, group)
        queues.push(...effects)
      } catch (error) {
        // the reset may have been of a queue on another broker
        if (!(error instanceof MQClientError) || error.responseCode !== ResponseCode.QUERY_NOT_FOUND) throw error
        missing = error
      }
    }
    if (queues.length === 0) throw missing
    printEffects(
      out,
      queues.sort((a, b) => compareMessageQueues(a.queue, b.queue)),
    )
    return { group, topic, queues }
  },
})
