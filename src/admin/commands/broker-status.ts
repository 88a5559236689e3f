import { clusterBrokers } from '../brokers.js'
import { defineCommand } from '../command.js'
import { optional } from '../option-spec.js'

const ROW = '%-32s: %s'
const CLUSTER_ROW = '%-24s %-32s: %s'

export const brokerStatus = defineCommand({
  name: 'brokerStatus',
  description: 'Show what a broker says of itself while it runs.',
  javaName: 'BrokerStatusSubCommand',
  options: {
    brokerAddr: optional('b', 'address of the broker', { group: 'target' }),
    clusterName: optional('c', 'all brokers of this cluster', { group: 'target' }),
  },
  async run(context) {
    const { options, admin, out } = context
    const isOne = options.brokerAddr !== undefined
    const addresses = isOne
      ? [options.brokerAddr!]
      : (await clusterBrokers(context, options.clusterName ?? '')).map(({ address }) => address)
    const result = new Map<string, ReadonlyMap<string, string>>()
    for (const address of addresses) {
      const table = await admin.runtimeInfo(address)
      result.set(address, table)
      for (const key of [...table.keys()].sort()) {
        if (isOne) out.row(ROW, key, table.get(key))
        else out.row(CLUSTER_ROW, address, key, table.get(key))
      }
    }
    return result
  },
})
