import { RequestCode, subscriptionGroupConfigFromJson } from '../../common/index.js'
import { defineCommand } from '../command.js'
import { listFileOptions, sendListFile } from '../list-file.js'

export const updateSubGroupList = defineCommand({
  name: 'updateSubGroupList',
  description: 'Create or change many consumer groups at once.',
  javaName: 'UpdateSubGroupListSubCommand',
  refusals: 'client',
  options: listFileOptions('groups'),
  async run(context) {
    const done = await sendListFile(context, {
      code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
      member: 'groupConfigList',
      read: subscriptionGroupConfigFromJson,
      what: context.options.brokerAddr === undefined ? 'subscription group' : 'group',
    })
    return done && { brokers: done.brokers, groups: done.sent.map(({ groupName }) => groupName) }
  },
})
