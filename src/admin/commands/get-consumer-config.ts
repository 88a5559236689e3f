import { defineCommand } from '../command.js'
import { groupFields } from '../group-text.js'
import { needed } from '../option-spec.js'

export const getConsumerConfig = defineCommand({
  name: 'getConsumerConfig',
  description: 'Show a consumer group as each broker has it.',
  javaName: 'GetConsumerConfigSubCommand',
  options: { groupName: needed('g', 'name of the consumer group') },
  async run({ options, admin, out }) {
    const { groupName } = options
    const { clusterAddrTable, brokerAddrTable } = await admin.clusterInfo()
    const found: object[] = []
    for (const [brokerName, { brokerAddrs }] of brokerAddrTable) {
      const cluster = [...clusterAddrTable].find(([, names]) => [...names].includes(brokerName))?.[0] ?? ''
      const [address] = brokerAddrs.values()
      const config = address === undefined ? undefined : (await admin.allGroups(address)).get(groupName)
      if (config === undefined) continue
      const rule = '='.repeat(29)
      out.line(`${rule}${cluster}:${brokerName}${rule}`)
      for (const [name, value] of groupFields(config)) out.row('%-40s=  %s', name, value === 'null' ? '' : value)
      found.push({ cluster, brokerName, config })
    }
    if (found.length === 0) out.problem(`no broker knows group ${groupName}`)
    return found
  },
})
