import { expect, test } from 'vitest'
import { FastFailure } from '../../../../src/broker/overload/fast-failure.js'
import {
  type Connection,
  type Lane,
  NoHeader,
  ok,
  RemotingCommand,
  type Reply,
  RequestPipeline,
  RouteTable,
  route,
} from '../../../../src/remoting/index.js'
import { type Logger, silentLogger } from '../../../../src/util/index.js'
import { brokerParts } from '../../../support/broker-parts.js'
import { FakeConnection } from '../../../support/fake-connection.js'

const routeOf = (lane: Lane, code = 10) => route({ code, request: NoHeader, lane, action: 'ANY', handle: () => ok() })

function fastFailure() {
  const { settings, clock } = brokerParts()
  let waited = 0
  const failure = new FastFailure({ settings, turn: { waitedMs: () => waited }, waiting: () => 7 })
  const admit = (lane: Lane, waitedMs: number) => {
    waited = waitedMs
    return failure.admit(routeOf(lane))
  }
  return { admit, failure, clock, wait: (ms: number) => void (waited = ms) }
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

test('many refusals of a host are one event of the log, which says how long it waited', () => {
  const { failure, clock, wait } = fastFailure()
  const warned: [unknown, string][] = []
  const logger: Logger = { ...silentLogger, warn: (fields, text) => void warned.push([fields.event, text]) }
  const routes = new RouteTable([routeOf('send')])
  const pipeline = new RequestPipeline({ routes, clock, logger, admit: failure.admit })
  const answers: Reply[] = []
  // the pipeline uses no more of a connection than this
  const connection = Object.assign(new FakeConnection(), {
    lastActive: 0,
    reply: (_command: RemotingCommand, reply: Reply) => void answers.push(reply),
  }) as unknown as Connection
  wait(250)
  for (let i = 0; i < 1000; i++) {
    pipeline.handle(Object.assign(new RemotingCommand(), { code: 10, opaque: i }), connection)
  }
  expect(answers.filter(answer => answer.code === 2).length).toBe(1000)
  expect(warned).toEqual([
    [
      'request-refused',
      `refused SEND_MESSAGE of ${connection.peer.text}: [TIMEOUT_CLEAN_QUEUE]broker busy, ` +
        'start flow control for a while, period in queue: 250ms, size of queue: 7',
    ],
  ])
})
