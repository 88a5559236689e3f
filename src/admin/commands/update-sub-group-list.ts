import { readFile } from 'node:fs/promises'
import {
  parseFastJson,
  RequestCode,
  readArray,
  stringifyFastJson,
  subscriptionGroupConfigFromJson,
} from '../../common/index.js'
import { targets } from '../brokers.js'
import { defineCommand } from '../command.js'
import { needed, optional } from '../option-spec.js'

export const updateSubGroupList = defineCommand({
  name: 'updateSubGroupList',
  description: 'Create or change many consumer groups at once.',
  javaName: 'UpdateSubGroupListSubCommand',
  refusals: 'client',
  options: {
    brokerAddr: optional('b', 'broker that gets the groups', { group: 'target' }),
    clusterName: optional('c', 'cluster whose masters get the groups', { group: 'target' }),
    filename: needed('f', 'file with the groups, a JSON array'),
  },
  async run(context) {
    const { options, admin, out } = context
    const text = await readFile(options.filename).catch(() => undefined)
    if (text === undefined) {
      out.line(`the file path ${options.filename} does not exists`)
      out.problem(`${options.filename} cannot be read`)
      return undefined
    }
    const groupConfigList = readArray(parseFastJson(text)).map(subscriptionGroupConfigFromJson)
    const addresses = (await targets(context, options)) ?? []
    const what = options.brokerAddr === undefined ? 'subscription group' : 'group'
    for (const address of addresses) {
      await admin.invokeBroker(address, RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, {
        body: stringifyFastJson({ groupConfigList }),
      })
      out.line(`submit batch of ${what} config to ${address} success, please check the result later.`)
    }
    return { brokers: addresses, groups: groupConfigList.map(({ groupName }) => groupName) }
  },
})
