import { describe, expect, test } from 'vitest'
import { TraceDispatcher, type TraceMessage } from '../../../../src/client/trace/trace-dispatcher.js'
import { decodeTrace, type TraceRecord } from '../../../../src/common/index.js'
import { silentLogger } from '../../../../src/util/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

function record(msgId: string, keys = ''): TraceRecord {
  return { type: 'Recall', timestamp: 1, regionId: keys, group: 'G', topic: 'T', msgId, success: true }
}

function parts(options: { batchSize?: number; fail?: boolean } = {}) {
  const clock = new ManualClock()
  const sent: TraceMessage[] = []
  let isStopped = false
  const dispatcher = new TraceDispatcher({
    topic: 'TRACE',
    clock,
    logger: silentLogger,
    ...(options.batchSize === undefined ? {} : { batchSize: options.batchSize }),
    sender: {
      start: async () => {},
      send: async message => {
        if (options.fail) throw new Error('no broker')
        sent.push(message)
      },
      stop: async () => {
        isStopped = true
      },
    },
  })
  return { clock, sent, dispatcher, isStopped: () => isStopped }
}

const idsOf = (message: TraceMessage): (string | undefined)[] => decodeTrace(message.body).map(({ msgId }) => msgId)

describe('TraceDispatcher', () => {
  test('sends a batch when it is full, the rest after 5 s', async () => {
    const { clock, sent, dispatcher } = parts({ batchSize: 2 })
    for (const id of ['a', 'b']) dispatcher.add([record(id)])
    await clock.advance(0)
    expect(sent.map(idsOf)).toEqual([['a', 'b']])
    dispatcher.add([record('c')])
    await clock.advance(4999)
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    expect(sent.map(idsOf)).toEqual([['a', 'b'], ['c']])
    expect(sent[0]).toMatchObject({ topic: 'TRACE', keys: 'a b' })
  })

  test('sends what waits before it stops', async () => {
    const { sent, dispatcher, isStopped } = parts()
    dispatcher.add([record('a')])
    await dispatcher.stop()
    expect(sent.map(idsOf)).toEqual([['a']])
    expect(isStopped()).toBe(true)
  })

  test('splits what is too long for one message', async () => {
    const { sent, dispatcher } = parts()
    dispatcher.add([record('a', 'x'.repeat(100_000)), record('b', 'x'.repeat(100_000))])
    await dispatcher.flush()
    expect(sent.map(idsOf)).toEqual([['a'], ['b']])
  })

  test('loses traces rather than fail or grow without bound', async () => {
    const { dispatcher } = parts({ fail: true })
    dispatcher.add([record('a')])
    await expect(dispatcher.flush()).resolves.toBeUndefined()
    const stuck = parts({ batchSize: 20 })
    for (let i = 0; i < 5000; i++) stuck.dispatcher.add([record(String(i))])
    await stuck.dispatcher.flush()
    expect(stuck.sent.flatMap(idsOf).length).toBeLessThanOrEqual(2048)
  })
})
