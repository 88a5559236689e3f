import { RequestCode } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { type CommandContext, defineCommand } from '../command.js'
import { optional } from '../option-spec.js'

const cleanOptions = {
  brokerAddr: optional('b', 'address of the broker'),
  cluster: optional('c', 'all brokers of this cluster; without -b and -c those of all clusters'),
} as const

export const cleanExpiredCQ = defineCommand({
  name: 'cleanExpiredCQ',
  description: 'Delete consume queue files whose messages are gone.',
  javaName: 'CleanExpiredCQSubCommand',
  options: cleanOptions,
  run: context => clean(context, RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE),
})

export const deleteExpiredCommitLog = defineCommand({
  name: 'deleteExpiredCommitLog',
  description: 'Delete commit log files that are past their time, now.',
  javaName: 'DeleteExpiredCommitLogSubCommand',
  options: cleanOptions,
  run: context => clean(context, RequestCode.DELETE_EXPIRED_COMMITLOG),
})

export const cleanUnusedTopic = defineCommand({
  name: 'cleanUnusedTopic',
  description: 'Delete the queues of topics that a broker no longer has.',
  javaName: 'CleanUnusedTopicCommand',
  options: cleanOptions,
  run: context => clean(context, RequestCode.CLEAN_UNUSED_TOPIC),
})

/** Orders each broker, and says as Java does whether all obeyed. */
async function clean({ options, admin, out }: CommandContext<typeof cleanOptions>, code: number): Promise<object> {
  const cleaned: string[] = []
  let isSuccess = true
  for (const address of await addresses()) {
    try {
      await admin.invokeBroker(address, code)
      cleaned.push(address)
    } catch (error) {
      isSuccess = false
      out.failure(`${address}: ${errorText(error)}`)
    }
  }
  if (cleaned.length === 0) isSuccess = false
  if (!isSuccess && cleaned.length === 0) out.problem('no broker was reached')
  out.text(isSuccess ? 'success' : 'false')
  return { brokers: cleaned }

  async function addresses(): Promise<string[]> {
    if (options.brokerAddr !== undefined) return [options.brokerAddr]
    const { clusterAddrTable, brokerAddrTable } = await admin.clusterInfo()
    const names =
      options.cluster === undefined ? [...brokerAddrTable.keys()] : [...(clusterAddrTable.get(options.cluster) ?? [])]
    return names.flatMap(name => [...(brokerAddrTable.get(name)?.brokerAddrs.values() ?? [])])
  }
}
