import { MASTER_ID } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { clusterBrokers } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { needed, optional } from '../option-spec.js'

const updateOptions = {
  brokerAddr: optional('b', 'address of the broker'),
  clusterName: optional('c', 'the masters of this cluster'),
  updateAllBroker: optional('a', 'with -c: its slaves too (any value)'),
  key: needed('k', 'name of the setting'),
  value: needed('v', 'its new value'),
} as const

export const updateBrokerConfig = defineCommand({
  name: 'updateBrokerConfig',
  description: 'Change one setting of running brokers.',
  javaName: 'UpdateBrokerConfigSubCommand',
  options: updateOptions,
  async run(context) {
    const { brokerAddr, clusterName, updateAllBroker } = context.options
    if (brokerAddr !== undefined) {
      await update(context, brokerAddr)
      return { updated: [brokerAddr] }
    }
    if (clusterName === undefined) return USAGE
    const updated: string[] = []
    for (const { brokerId, address } of await clusterBrokers(context, clusterName)) {
      if (brokerId !== MASTER_ID && updateAllBroker === undefined) continue
      try {
        await update(context, address)
        updated.push(address)
      } catch (error) {
        context.out.failure(`${address}: ${errorText(error)}`)
      }
    }
    return { updated }
  },
})

async function update({ admin, out, options }: CommandContext<typeof updateOptions>, address: string): Promise<void> {
  const { key, value } = options
  if (out.tellsProblems && !(await admin.brokerConfig(address)).has(key)) {
    out.problem(`broker ${address} knows no setting ${key}`)
  }
  await admin.updateBrokerConfig(address, new Map([[key, value]]))
  out.line(`update broker config success, ${address}`)
}
