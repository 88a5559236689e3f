import { RequestCode, topicConfigFromJson } from '../../common/index.js'
import { defineCommand } from '../command.js'
import { listFileOptions, sendListFile } from '../list-file.js'

export const updateTopicList = defineCommand({
  name: 'updateTopicList',
  description: 'Create or change many topics at once.',
  javaName: 'UpdateTopicListSubCommand',
  refusals: 'client',
  options: listFileOptions('topics'),
  async run(context) {
    const done = await sendListFile(context, {
      code: RequestCode.UPDATE_AND_CREATE_TOPIC_LIST,
      member: 'topicConfigList',
      read: topicConfigFromJson,
      what: 'topic',
    })
    return done && { brokers: done.brokers, topics: done.sent.map(({ topicName }) => topicName) }
  },
})
