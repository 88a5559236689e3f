import { readFile } from 'node:fs/promises'
import { parseFastJson, RequestCode, readArray, stringifyFastJson, topicConfigFromJson } from '../../common/index.js'
import { targets } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'

export const updateTopicList = defineCommand({
  name: 'updateTopicList',
  description: 'Create or change many topics at once.',
  javaName: 'UpdateTopicListSubCommand',
  refusals: 'client',
  options: {
    brokerAddr: optional('b', 'broker that gets the topics', { group: 'target' }),
    clusterName: optional('c', 'cluster whose masters get the topics', { group: 'target' }),
    filename: needed('f', 'file with the topics, a JSON array'),
  },
  async run(context) {
    const { options, admin, out } = context
    const text = await readFile(options.filename).catch(() => undefined)
    if (text === undefined) {
      out.line(`the file path ${options.filename} does not exists`)
      out.problem(`${options.filename} cannot be read`)
      return undefined
    }
    const topicConfigList = readArray(parseFastJson(text)).map(topicConfigFromJson)
    const addresses = (await targets(context, options)) ?? []
    for (const address of addresses) {
      await admin.invokeBroker(address, RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, {
        body: stringifyFastJson({ topicConfigList }),
      })
      out.line(`submit batch of topic config to ${address} success, please check the result later.`)
    }
    return { brokers: addresses, topics: topicConfigList.map(({ topicName }) => topicName) }
  },
})
