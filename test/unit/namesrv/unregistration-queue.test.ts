import { expect, test } from 'vitest'
import type { MinBrokerIdChange } from '../../../src/namesrv/min-broker-id-change.js'
import { UnregistrationQueue } from '../../../src/namesrv/unregistration-queue.js'
import { silentLogger } from '../../../src/util/index.js'
import { newRouteInfo, registration } from './fixtures.js'

function setUp(notifyMinBrokerIdChanged = false) {
  const { routeInfo } = newRouteInfo()
  const told: MinBrokerIdChange[] = []
  const values = { unRegisterBrokerQueueCapacity: 2, notifyMinBrokerIdChanged }
  const onMinBrokerIdChange = (change: MinBrokerIdChange) => void told.push(change)
  return {
    routeInfo,
    told,
    queue: new UnregistrationQueue({ routeInfo, values, logger: silentLogger, onMinBrokerIdChange }),
  }
}

const signOff = (brokerId: number) => {
  const { clusterName, brokerName, brokerAddr } = registration({ brokerId })
  return { clusterName, brokerName, brokerAddr, brokerId }
}

test('takes brokers out at the end of the turn, and no more than it has room for', async () => {
  const { routeInfo, queue } = setUp()
  for (const brokerId of [0, 1, 2]) routeInfo.register(registration({ brokerId }))
  expect([queue.submit(signOff(0)), queue.submit(signOff(1)), queue.submit(signOff(2))]).toEqual([true, true, false])
  expect(routeInfo.memberAddrs('broker-a').size).toBe(3)
  await new Promise(resolve => setImmediate(resolve))
  expect([...routeInfo.memberAddrs('broker-a').keys()]).toEqual([2])
  expect(queue.submit(signOff(2))).toBe(true)
  queue.drain()
  expect(routeInfo.memberAddrs('broker-a').size).toBe(0)
})

test.each([true, false])('tells of another lowest id when notifyMinBrokerIdChanged is %s', notify => {
  const { routeInfo, queue, told } = setUp(notify)
  for (const brokerId of [0, 1]) routeInfo.register(registration({ brokerId, enableActingMaster: true }))
  queue.submit(signOff(0))
  queue.drain()
  expect(told.map(({ minBrokerId }) => minBrokerId)).toEqual(notify ? [1] : [])
})
