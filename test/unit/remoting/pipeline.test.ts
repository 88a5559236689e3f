import { describe, expect, test } from 'vitest'
import {
  type Connection,
  defineHeader,
  ok,
  RemotingCommand,
  type Reply,
  RequestPipeline,
  type Route,
  RouteTable,
  req,
  route,
  t,
} from '../../../src/remoting/index.js'
import { type Logger, silentLogger } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'

const TopicHeader = defineHeader('TopicHeader', { topic: req(t.string) })
const plain = { code: 1, lane: 'admin', action: 'ANY' } as const

/** No JSON, which the quick look at the declared fields does not notice. */
const TRAILING_COMMA = '{"topic":"T",}'

function pipeline(served: Route, extJson = TRAILING_COMMA) {
  const command = Object.assign(new RemotingCommand(), { code: served.code, extJson })
  const clock = new ManualClock()
  const logged: Record<string, unknown>[] = []
  const record = (fields: Record<string, unknown>) => void logged.push(fields)
  const logger: Logger = { ...silentLogger, warn: record, error: record }
  const answers: Reply[] = []
  // the pipeline uses no more of a connection than this
  const connection = {
    peer: { text: '10.0.0.1:4000' },
    lastActive: 0,
    reply: (_command: RemotingCommand, reply: Reply) => void answers.push(reply),
  } as unknown as Connection
  const requests = new RequestPipeline({ routes: new RouteTable([served]), clock, logger })
  return { handle: () => requests.handle(command, connection), clock, logged, answers }
}

describe('extFields that are not JSON', () => {
  test('are refused when the header is read', () => {
    const served = route({ ...plain, request: TopicHeader, handle: () => ok() })
    const { handle, answers } = pipeline(served, '{"topic":"\\u12"}')
    handle()
    expect(answers).toMatchObject([{ code: 1, remark: 'the extFields of the request are not JSON' }])
  })

  test('do not hide the failure of a request', () => {
    const failing = () => {
      throw new Error('disk')
    }
    const { handle, answers, logged } = pipeline(route({ ...plain, request: TopicHeader, handle: failing }))
    handle()
    expect(answers).toMatchObject([{ code: 1 }])
    expect(logged).toMatchObject([{ event: 'request-failed', remote: '10.0.0.1:4000' }])
  })

  test('do not end the process when the request is slow or fails later', async () => {
    for (const outcome of [() => ok(), () => Promise.reject(new Error('disk'))]) {
      let finish = () => {}
      const waiting = new Promise<void>(resolve => {
        finish = resolve
      })
      const later = route({ ...plain, request: TopicHeader, handle: () => waiting.then(outcome) })
      const { handle, answers, logged, clock } = pipeline(later)
      handle()
      await clock.advance(1000)
      finish()
      // every promise of the answer has settled by then; one nobody caught would fail this run
      await new Promise(resolve => setImmediate(resolve))
      expect(answers).toHaveLength(1)
      expect(logged.map(({ event }) => event)).toContain('slow-request')
    }
  })
})
