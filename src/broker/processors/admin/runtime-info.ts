import { CURRENT_VERSION, RequestCode, versionName } from '../../../common/index.js'
import { NoHeader, ok, type Route, route } from '../../../remoting/index.js'
import type { BrokerContext } from '../../context.js'
import { javaDouble } from '../../stats/store-rates.js'
import type { TimerService } from '../../timer/timer-service.js'
import { jsonBody } from './json-body.js'
import { storeState } from './store-state.js'

type Parts = Pick<BrokerContext, 'store' | 'stats' | 'settings' | 'clock' | 'timer' | 'schedule' | 'requestLoad'>

/** GET_BROKER_RUNTIME_INFO (28): every key of broker-behaviour 12.6, as text. */
export function runtimeInfoRoute(broker: Parts): Route {
  return route({
    code: RequestCode.GET_BROKER_RUNTIME_INFO,
    request: NoHeader,
    lane: 'admin',
    action: 'GET',
    async handle() {
      const table = new Map([
        ...(await storeState(broker)),
        ...storeWork(broker),
        ...brokerState(broker),
        ...queueState(broker),
        ...broker.schedule.runtimeInfo(),
      ])
      return ok(jsonBody({ table }))
    },
  })
}

function* storeWork({ stats }: Parts): Iterable<[string, string]> {
  const { store } = stats
  const puts = Math.max(1, store.putMessageTimesTotal)
  yield ['putMessageEntireTimeMax', String(Math.round(store.putMessageEntireTimeMax))]
  // Java never shows less than one, so that nobody divides by zero
  yield ['putMessageTimesTotal', String(puts)]
  yield ['putMessageFailedTimes', String(store.putMessageFailedTimes)]
  yield ['putMessageSizeTotal', String(store.putMessageSizeTotal)]
  yield ['putMessageAverageSize', javaDouble(store.putMessageSizeTotal / puts)]
  yield ['putMessageDistributeTime', store.distributionText()]
  yield ['getMessageEntireTimeMax', String(Math.round(store.getMessageEntireTimeMax))]
  yield ['putTps', store.text('put')]
  yield ['getFoundTps', store.text('getFound')]
  yield ['getMissTps', store.text('getMiss')]
  yield ['getTotalTps', store.totalText()]
  yield ['getTransferredTps', store.text('transferred')]
  yield ['putLatency99', store.latencyQuantile(0.99).toFixed(2)]
  yield ['putLatency999', store.latencyQuantile(0.999).toFixed(2)]
}

function* brokerState({ stats, settings, timer }: Parts): Iterable<[string, string]> {
  const { daily } = stats
  yield ['brokerActive', 'true']
  yield ['brokerVersion', String(CURRENT_VERSION)]
  yield ['brokerVersionDesc', versionName(CURRENT_VERSION)]
  yield ['msgPutTotalYesterdayMorning', String(daily.putAtYesterdayMorning)]
  yield ['msgPutTotalTodayMorning', String(daily.putAtTodayMorning)]
  yield ['msgPutTotalTodayNow', String(daily.put)]
  yield ['msgGetTotalYesterdayMorning', String(daily.getAtYesterdayMorning)]
  yield ['msgGetTotalTodayMorning', String(daily.getAtTodayMorning)]
  yield ['msgGetTotalTodayNow', String(daily.get)]
  yield ['startAcceptSendRequestTimeStamp', String(settings.startAcceptSendRequestTimeStamp)]
  yield* timer === undefined ? noTimer : timerState(timer)
}

function* timerState(timer: TimerService): Iterable<[string, string]> {
  const { readBehind, offsetBehind, congestNum, enqueueTps, dequeueTps } = timer.state()
  yield ['timerReadBehind', String(readBehind)]
  yield ['timerOffsetBehind', String(offsetBehind)]
  yield ['timerCongestNum', String(congestNum)]
  yield ['timerEnqueueTps', javaDouble(enqueueTps)]
  yield ['timerDequeueTps', javaDouble(dequeueTps)]
}

/** As Java's with the timer wheel off. */
const noTimer: readonly [string, string][] = [
  ['timerReadBehind', '0'],
  ['timerOffsetBehind', '0'],
  ['timerCongestNum', '0'],
  ['timerEnqueueTps', '0.0'],
  ['timerDequeueTps', '0.0'],
]

/**
 * For Java's thread pools: the requests that wait for their answer. One event loop takes requests in the order they
 * come, so none waits for a thread, and no lock is held across turns.
 */
function* queueState({ settings, requestLoad }: Parts): Iterable<[string, string]> {
  const capacities = [
    ['send', settings.sendThreadPoolQueueCapacity],
    ['pull', settings.pullThreadPoolQueueCapacity],
    ['litePull', settings.litePullThreadPoolQueueCapacity],
    ['query', settings.queryThreadPoolQueueCapacity],
    ['ack', settings.ackThreadPoolQueueCapacity],
  ] as const
  for (const [name, capacity] of capacities) {
    yield [`${name}ThreadPoolQueueSize`, String(requestLoad.waiting(name))]
    yield [`${name}ThreadPoolQueueCapacity`, String(capacity)]
    yield [`${name}ThreadPoolQueueHeadWaitTimeMills`, '0']
  }
  yield ['EndTransactionQueueSize', String(requestLoad.waiting('transaction'))]
  yield ['EndTransactionThreadPoolQueueCapacity', String(settings.endTransactionPoolQueueCapacity)]
  yield ['pageCacheLockTimeMills', '0']
}
