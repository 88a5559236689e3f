import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ConsumerConnection, ConsumerRunningInfo } from '../../client/index.js'
import { retryTopic, versionName } from '../../common/index.js'
import { errorText } from '../../util/index.js'
import { routeAddresses } from '../brokers.js'
import { type CommandContext, defineCommand } from '../command.js'
import { groupConnection } from '../group-state.js'
import { flag, needed, optional } from '../option-spec.js'
import { haveSameSubscription, runningInfoText, stuckQueues } from '../running-info-text.js'

const ROW = '%-10s %-40s %-20s %s'

const statusOptions = {
  consumerGroup: needed('g', 'name of the consumer group'),
  clientId: optional('i', 'the member that is shown; without it all are written to files'),
  brokerAddr: optional('b', 'broker that is asked for the members (one of the group)'),
  jstack: flag('s', 'stacks of the threads, where a member gives them'),
} as const

type Context = CommandContext<typeof statusOptions>

export const consumerStatus = defineCommand({
  name: 'consumerStatus',
  description: 'Show what the members of a consumer group are doing.',
  javaName: 'ConsumerStatusSubCommand',
  refusals: 'client',
  options: statusOptions,
  async run(context) {
    const { options, admin, out } = context
    const { consumerGroup: group, clientId, brokerAddr } = options
    const connection =
      brokerAddr === undefined ? await groupConnection(admin, group) : await admin.consumerConnection(brokerAddr, group)
    const addresses = await relays(context)
    if (clientId === undefined) return showAll(context, connection, addresses)
    const info = await askOne(context, clientId, addresses)
    out.text(runningInfoText(info))
    return info.raw
  },
})

async function relays({ options, admin }: Context): Promise<string[]> {
  if (options.brokerAddr !== undefined) return [options.brokerAddr]
  return routeAddresses(await admin.topicRoute(retryTopic(options.consumerGroup))).map(({ address }) => address)
}

/** Through the first broker that can. @throws MQClientError what the last one said */
async function askOne(
  { options, admin }: Context,
  clientId: string,
  addresses: readonly string[],
): Promise<ConsumerRunningInfo> {
  let failure: unknown = new Error(`no broker of ${options.consumerGroup} is known`)
  for (const address of addresses) {
    try {
      return await admin.consumerRunningInfo(address, options.consumerGroup, clientId, options.jstack)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function showAll(context: Context, { connections }: ConsumerConnection, addresses: readonly string[]) {
  const { out, clock } = context
  const folder = String(clock.now())
  const members = new Map<string, ConsumerRunningInfo>()
  const sorted = [...connections].sort((a, b) => (a.clientId < b.clientId ? -1 : 1))
  for (const { clientId, version } of sorted) {
    try {
      const info = await askOne(context, clientId, addresses)
      if (members.size === 0) out.row(ROW, '#Index', '#ClientId', '#Version', '#ConsumerRunningInfoFile')
      members.set(clientId, info)
      // a client id is what a client says it is: it does not choose where the file goes
      const file = join(folder, basename(clientId))
      if (!out.isJson) {
        await mkdir(folder, { recursive: true })
        await writeFile(file, runningInfoText(info))
      }
      out.row(ROW, members.size, clientId, versionName(version), file)
    } catch (error) {
      out.failure(`${clientId}: ${errorText(error)}`)
    }
  }
  return members.size === 0 ? undefined : judge(context, members)
}

function judge({ out, clock }: Context, members: ReadonlyMap<string, ConsumerRunningInfo>) {
  const now = clock.now()
  const infos = Object.fromEntries(Array.from(members, ([clientId, info]) => [clientId, info.raw]))
  if (!haveSameSubscription(members, now)) {
    out.text('\n\nWARN: Different subscription in the same group of consumer!!!')
    out.problem('members of the group subscribe to different things')
    return { sameSubscription: false, stuck: [], members: infos }
  }
  out.text('\n\nSame subscription in the same group of consumer')
  out.text('\n\nRebalance OK\n')
  const stuck = [...members].flatMap(([clientId, info]) => stuckQueues(clientId, info, now))
  for (const line of stuck) out.line(line)
  return { sameSubscription: true, stuck, members: infos }
}
