import { versionName } from '../../common/index.js'
import { defineCommand } from '../command.js'
import { groupConnection } from '../group-state.js'
import { needed, optional } from '../option-spec.js'

const CLIENT_ROW = '%-36s %-22s %-10s %s'
const TOPIC_ROW = '%-20s %s'

export const consumerConnection = defineCommand({
  name: 'consumerConnection',
  description: 'Show the members of a consumer group and what they subscribe to.',
  javaName: 'ConsumerConnectionSubCommand',
  options: {
    consumerGroup: needed('g', 'name of the consumer group'),
    brokerAddr: optional('b', 'broker to ask; without it one that has the retry topic of the group'),
  },
  async run({ options, admin, out }) {
    const { brokerAddr, consumerGroup } = options
    const found =
      brokerAddr === undefined
        ? await groupConnection(admin, consumerGroup)
        : await admin.consumerConnection(brokerAddr, consumerGroup)
    out.row(CLIENT_ROW, '#ClientId', '#ClientAddr', '#Language', '#Version')
    for (const { clientId, clientAddr, language, version } of found.connections) {
      out.row(CLIENT_ROW, clientId, clientAddr, language, versionName(version))
    }
    out.line('\nBelow is subscription:')
    out.row(TOPIC_ROW, '#Topic', '#SubExpression')
    for (const { topic, subString } of found.subscriptions.values()) out.row(TOPIC_ROW, topic, subString)
    out.line()
    out.line(`ConsumeType: ${found.consumeType}`)
    out.line(`MessageModel: ${found.messageModel}`)
    out.line(`ConsumeFromWhere: ${found.consumeFromWhere}`)
    return found
  },
})
