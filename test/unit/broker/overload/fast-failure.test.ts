import { expect, test } from 'vitest'
import { FastFailure } from '../../../../src/broker/overload/fast-failure.js'
import { type Lane, NoHeader, ok, route } from '../../../../src/remoting/index.js'
import { type Logger, silentLogger } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'

function fastFailure() {
  const { settings, clock } = brokerParts()
  let waited = 0
  const warned: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_fields, text) => void warned.push(text) }
  const turn = { waitedMs: () => waited }
  const failure = new FastFailure({ settings, turn, waiting: () => 7, clock, logger })
  const admit = (lane: Lane, waitedMs: number) => {
    waited = waitedMs
    return failure.admit(route({ code: 10, request: NoHeader, lane, action: 'ANY', handle: () => ok() }))
  }
  return { admit, warned }
}

test.each<[Lane, number]>([
  ['send', 200],
  ['pull', 5000],
  ['litePull', 5000],
  ['heartbeat', 31_000],
  ['transaction', 3000],
  ['ack', 3000],
  ['admin', 5000],
])('%s requests may wait %i ms', (lane, limit) => {
  const { admit } = fastFailure()
  expect(admit(lane, limit - 0.1)).toBeUndefined()
  expect(admit(lane, limit + 0.9)).toMatchObject({
    code: 2,
    remark:
      `[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: ${limit}ms, ` +
      'size of queue: 7',
  })
})

test.each<Lane>(['query', 'client', 'consumer', 'reply', 'route'])('%s requests wait as long as it takes', lane => {
  expect(fastFailure().admit(lane, 1_000_000)).toBeUndefined()
})

test('many refusals of a kind are one line of the log', () => {
  const { admit, warned } = fastFailure()
  for (let i = 0; i < 1000; i++) admit('send', 250)
  admit('pull', 6000)
  expect(warned).toEqual([
    'SEND_MESSAGE refused after 250 ms of waiting (waitTimeMillsInSendQueue is 200)',
    'SEND_MESSAGE refused after 6000 ms of waiting (waitTimeMillsInPullQueue is 5000)',
  ])
})
