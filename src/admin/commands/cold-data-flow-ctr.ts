import {
  type JsonObject,
  parseFastJson,
  RequestCode,
  readNumber,
  readObject,
  stringifyFastJson,
} from '../../common/index.js'
import { errorText, formatProperty } from '../../util/index.js'
import { targets, titledBrokers } from '../brokers.js'
import { type CommandContext, defineCommand, USAGE } from '../command.js'
import { secondsText } from '../format.js'
import { needed, optional } from '../option-spec.js'

const brokerOptions = {
  brokerAddr: optional('b', 'address of the broker'),
  clusterName: optional('c', 'all brokers of this cluster'),
} as const

const masterOptions = {
  brokerAddr: optional('b', 'address of the broker'),
  clusterName: optional('c', 'all masters of this cluster'),
  consumerGroup: needed('g', 'name of the consumer group'),
} as const

export const getColdDataFlowCtrInfo = defineCommand({
  name: 'getColdDataFlowCtrInfo',
  description: 'Show which groups read old data, how much, and how much they may.',
  javaName: 'GetColdDataFlowCtrInfoSubCommand',
  options: brokerOptions,
  async run(context) {
    const { admin, out } = context
    const found = new Map<string, JsonObject>()
    for (const { address, title } of await titledBrokers(context, context.options)) {
      out.line(` ============${title}============`)
      const { body } = await admin.invokeBroker(address, RequestCode.GET_COLD_DATA_FLOW_CTR_INFO)
      const info = readObject(parseFastJson(body))
      out.line(infoText(info))
      found.set(address, info)
    }
    return found
  },
})

export const updateColdDataFlowCtrGroupConfig = defineCommand({
  name: 'updateColdDataFlowCtrGroupConfig',
  description: 'Set how much old data a consumer group may read in 5 s.',
  javaName: 'UpdateColdDataFlowCtrGroupConfigSubCommand',
  options: { ...masterOptions, threshold: needed('v', 'bytes') },
  async run(context) {
    const { consumerGroup, threshold } = context.options
    const body = `${formatProperty(consumerGroup, threshold)}\n`
    return onMasters(context, 'updateColdDataFlowCtrGroupConfig success', address =>
      context.admin.invokeBroker(address, RequestCode.UPDATE_COLD_DATA_FLOW_CTR_CONFIG, { body }),
    )
  },
})

export const removeColdDataFlowCtrGroupConfig = defineCommand({
  name: 'removeColdDataFlowCtrGroupConfig',
  description: 'Let a consumer group read as much old data as others.',
  javaName: 'RemoveColdDataFlowCtrGroupConfigSubCommand',
  options: masterOptions,
  async run(context) {
    const body = context.options.consumerGroup
    return onMasters(context, 'remove broker cold read threshold success', address =>
      context.admin.invokeBroker(address, RequestCode.REMOVE_COLD_DATA_FLOW_CTR_CONFIG, { body }),
    )
  },
})

export const setCommitLogReadAheadMode = defineCommand({
  name: 'setCommitLogReadAheadMode',
  description: 'Let the kernel read ahead in the commit log, or not.',
  javaName: 'CommitLogSetReadAheadSubCommand',
  options: { ...brokerOptions, commitLogReadAheadMode: needed('m', '0 reads ahead (the default), 1 does not') },
  async run(context) {
    const { admin, out, options } = context
    const mode = options.commitLogReadAheadMode
    const remarks = new Map<string, string>()
    if (mode !== '0' && mode !== '1') {
      out.line('set the read mode error; 0 is default, 1 random read')
      out.problem(`-m is 0 or 1, and not ${mode}`)
      return remarks
    }
    const header = { READ_AHEAD_MODE: mode }
    for (const { address, title } of await titledBrokers(context, options)) {
      out.line(` ============${title}============`)
      const { remark = 'null' } = await admin.invokeBroker(address, RequestCode.SET_COMMITLOG_READ_MODE, { header })
      out.line(`commitLog set readAhead mode rstStr${remark}`)
      remarks.set(address, remark)
    }
    return remarks
  },
})

/** Orders the broker, or each master of the cluster; there one that fails does not keep the others from it. */
async function onMasters(
  context: CommandContext<typeof masterOptions>,
  success: string,
  order: (address: string) => Promise<unknown>,
): Promise<object | typeof USAGE> {
  const { options, out } = context
  const addresses = await targets(context, options)
  if (addresses === undefined) return USAGE
  const updated: string[] = []
  for (const address of addresses) {
    try {
      await order(address)
      out.line(`${success}, ${address}`)
      updated.push(address)
    } catch (error) {
      if (options.brokerAddr !== undefined) throw error
      out.failure(`${address}: ${errorText(error)}`)
    }
  }
  return { updated }
}

/** In the order and layout of Java's tool. */
function infoText(info: JsonObject): string {
  const text = (key: string): [string, string] => [key, stringifyFastJson(info[key])]
  const limits = Object.entries(readObject(info.configTable))
  const groups = Object.entries(readObject(info.runtimeTable))
  return block('', [
    text('globalAcc'),
    text('cgColdReadThreshold'),
    [
      'configTable',
      block(
        '\t',
        limits.map(([group, bytes]) => [group, stringifyFastJson(bytes)]),
      ),
    ],
    text('globalColdReadThreshold'),
    [
      'runtimeTable',
      block(
        '\t',
        groups.map(([group, reads]) => [group, readsText(readObject(reads))]),
      ),
    ],
  ])
}

function readsText(reads: JsonObject): string {
  const time = (key: string): string => JSON.stringify(secondsText(readNumber(reads[key], 0)))
  return block('\t\t', [
    ['createTimeFormat', time('createTimeMills')],
    ['lastColdReadTimeFormat', time('lastColdReadTimeMills')],
    ['coldAcc', stringifyFastJson(reads.coldAcc)],
  ])
}

/** A JSON object whose members are text already, as fastjson lays it out. */
function block(indent: string, members: readonly (readonly [string, string])[]): string {
  if (members.length === 0) return '{}'
  const lines = members.map(([key, text]) => `${indent}\t${JSON.stringify(key)}:${text}`)
  return `{\n${lines.join(',\n')}\n${indent}}`
}
