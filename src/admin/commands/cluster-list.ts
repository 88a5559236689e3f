import type { AdminClient } from '../../client/index.js'
import type { ClusterInfo } from '../../common/index.js'
import { type Clock, errorText, sleep } from '../../util/index.js'
import { defineCommand } from '../command.js'
import { format } from '../format.js'
import { flag, optional } from '../option-spec.js'
import type { Output } from '../output.js'
import { wholeNumber } from '../read-values.js'

const HEADING = '%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %-11s  %-12s  %-8s  %-10s'
const ROW = '%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %11s  %-12s  %-8s  %10s'
const TITLES = [
  '#Cluster Name',
  '#Broker Name',
  '#BID',
  '#Addr',
  '#Version',
  '#InTPS(LOAD)',
  '#OutTPS(LOAD)',
  '#Timer(Progress)',
  '#PCWait(ms)',
  '#Hour',
  '#SPACE',
  '#ACTIVATED',
] as const

const MORE_HEADING = '%-16s  %-32s %14s %14s %14s %14s'
const MORE_ROW = '%-16s  %-32s %14d %14d %14d %14d'
const MORE_TITLES = [
  '#Cluster Name',
  '#Broker Name',
  '#InTotalYest',
  '#OutTotalYest',
  '#InTotalToday',
  '#OutTotalToday',
]

const MS_PER_HOUR = 3_600_000

interface BrokerRow {
  clusterName: string
  brokerName: string
  brokerId: number
  address: string
  /** Undefined for a broker that does not answer. */
  runtime: ReadonlyMap<string, string> | undefined
}

export const clusterList = defineCommand({
  name: 'clusterList',
  description: 'List clusters and their brokers.',
  javaName: 'ClusterListSubCommand',
  options: {
    moreStats: flag('m', 'messages of yesterday and today'),
    interval: optional('i', 'seconds between two lists; without it there is one'),
    clusterName: optional('c', 'only this cluster'),
  },
  async run({ options, admin, out, clock }) {
    const seconds = wholeNumber(options.interval, 0)
    for (;;) {
      const rows = await brokerRows(admin, out, options.clusterName)
      if (options.moreStats) printTotals(out, rows)
      else printRates(out, rows, clock)
      if (options.interval === undefined) {
        return rows.map(({ runtime, ...row }) => ({ ...row, answers: runtime !== undefined, runtime: runtime ?? {} }))
      }
      await sleep(clock, Math.max(1, seconds) * 1000)
    }
  },
})

async function brokerRows(admin: AdminClient, out: Output, only: string | undefined): Promise<BrokerRow[]> {
  const info: ClusterInfo = await admin.clusterInfo()
  const clusters = only === undefined ? [...info.clusterAddrTable.keys()] : [only]
  if (only !== undefined && !info.clusterAddrTable.has(only)) out.problem(`the NameServer knows no cluster ${only}`)
  const rows: BrokerRow[] = []
  for (const clusterName of clusters) {
    for (const brokerName of [...(info.clusterAddrTable.get(clusterName) ?? [])].sort()) {
      const addresses = [...(info.brokerAddrTable.get(brokerName)?.brokerAddrs ?? [])].sort(([a], [b]) => a - b)
      for (const [brokerId, address] of addresses) {
        const runtime = await admin.runtimeInfo(address).catch((error: unknown) => {
          out.failure(`broker ${brokerName} at ${address} does not answer: ${errorText(error)}`)
          return undefined
        })
        rows.push({ clusterName, brokerName, brokerId, address, runtime })
      }
    }
  }
  return rows
}

function printTotals(out: Output, rows: readonly BrokerRow[]): void {
  out.row(MORE_HEADING, ...MORE_TITLES)
  for (const { clusterName, brokerName, runtime } of rows) {
    const total = (key: string): number => Number(runtime?.get(key) ?? 0)
    out.row(
      MORE_ROW,
      clusterName,
      brokerName,
      total('msgPutTotalTodayMorning') - total('msgPutTotalYesterdayMorning'),
      total('msgGetTotalTodayMorning') - total('msgGetTotalYesterdayMorning'),
      total('msgPutTotalTodayNow') - total('msgPutTotalTodayMorning'),
      total('msgGetTotalTodayNow') - total('msgGetTotalTodayMorning'),
    )
  }
}

function printRates(out: Output, rows: readonly BrokerRow[], clock: Clock): void {
  out.row(HEADING, ...TITLES)
  for (const { clusterName, brokerName, brokerId, address, runtime } of rows) {
    const value = (key: string, fallback = ''): string => runtime?.get(key) ?? fallback
    const number = (key: string): number => Number(value(key, '0'))
    const rate = (key: string): number => Number(value(key).split(' ')[0] || 0)
    const send = `${value('sendThreadPoolQueueSize')},${value('sendThreadPoolQueueHeadWaitTimeMills')}ms`
    const pull = `${value('pullThreadPoolQueueSize')},${value('pullThreadPoolQueueHeadWaitTimeMills')}ms`
    const unknown = runtime === undefined ? '' : 'N'
    const ack =
      `${value('ackThreadPoolQueueSize', unknown)},` + `${value('ackThreadPoolQueueHeadWaitTimeMills', unknown)}ms`
    const earliest = value('earliestMessageTimeStamp')
    const hours = earliest === '' ? 0 : (clock.now() - Number(earliest)) / MS_PER_HOUR
    out.row(
      ROW,
      clusterName,
      brokerName,
      brokerId,
      address,
      value('brokerVersionDesc'),
      format('%9.2f(%s)', rate('putTps'), send),
      format('%9.2f(%s|%s)', rate('getTransferredTps'), pull, ack),
      format(
        '%d-%d(%.1fw, %.1f, %.1f)',
        number('timerReadBehind'),
        number('timerOffsetBehind'),
        number('timerCongestNum') / 10_000,
        number('timerEnqueueTps'),
        number('timerDequeueTps'),
      ),
      value('pageCacheLockTimeMills'),
      hours.toFixed(2),
      number('commitLogDiskRatio').toFixed(4),
      value('brokerActive') === 'true',
    )
  }
}
