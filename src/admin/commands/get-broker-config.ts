import { titledBrokers } from '../brokers.js'
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
    if (brokerAddr === undefined && clusterName === undefined) return USAGE
    const result = new Map<string, ReadonlyMap<string, string>>()
    for (const { address, title } of await titledBrokers(context, context.options)) {
      result.set(address, await show(context, address, title))
    }
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
