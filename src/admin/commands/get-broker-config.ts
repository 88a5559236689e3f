import { MASTER_ID } from '../../common/index.js'
import { clusterBrokers } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { optional } from '../option-spec.js'

const configOptions = {
  brokerAddr: optional('b', 'address of the broker'),
  clusterName: optional('c', 'all brokers of this cluster'),
} as const

export const getBrokerConfig = defineCommand({
  name: 'getBrokerConfig',
  description: 'Show the configuration of brokers.',
  javaName: 'GetBrokerConfigCommand',
  options: configOptions,
  async run(context) {
    const { brokerAddr, clusterName } = context.options
    const result = new Map<string, ReadonlyMap<string, string>>()
    if (brokerAddr !== undefined) {
      result.set(brokerAddr, await show(context, brokerAddr, brokerAddr))
    } else if (clusterName !== undefined) {
      const brokers = await clusterBrokers(context, clusterName)
      const masters = new Map(
        brokers.filter(({ brokerId }) => brokerId === MASTER_ID).map(broker => [broker.brokerName, broker.address]),
      )
      for (const { brokerName, brokerId, address } of brokers) {
        const master = masters.get(brokerName) ?? 'NO_MASTER'
        const isMaster = brokerId === MASTER_ID
        const title = isMaster ? `Master: ${address}` : `My Master: ${master}=====Slave: ${address}`
        result.set(address, await show(context, address, title))
      }
    } else return USAGE
    return result
  },
})

async function show(
  { admin, out }: CommandContext<typeof configOptions>,
  address: string,
  title: string,
): Promise<ReadonlyMap<string, string>> {
  out.line(`============${title}============`)
  const config = await admin.brokerConfig(address)
  for (const [key, value] of config) out.row('%-50s=  %s', key, value)
  out.line()
  return config
}
