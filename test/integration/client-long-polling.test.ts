import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Producer } from '../../src/client/index.js'
import { PullSysFlag, RequestCode, ResponseCode } from '../../src/common/index.js'
import {
  PullMessageRequestHeader,
  PullMessageResponseHeader,
  RemotingClient,
  type RemotingCommand,
} from '../../src/remoting/index.js'
import { silentLogger, systemClock } from '../../src/util/index.js'
import { eventually } from '../support/eventually.js'
import { TestSystem } from './client-system.js'

const TIMEOUT_MS = 20_000

let system: TestSystem
let client: RemotingClient
let producer: Producer

async function start(values: ConstructorParameters<typeof TestSystem>[0] = {}): Promise<void> {
  system = await new TestSystem(values).start()
  await system.createTopic('T', 1)
  client = new RemotingClient({ clock: systemClock, logger: silentLogger })
  producer = new Producer({ group: 'P', namesrvAddr: system.namesrvAddr })
  await producer.start()
}

afterEach(async () => {
  client.stop()
  await producer.stop()
  await system.stop()
})

interface Held {
  answer: RemotingCommand | undefined
  failure: unknown
  done: Promise<void>
}

/** A pull from the end of the queue; resolves when the broker holds it. */
async function pullAndHold(values: { suspendMs?: number; subscription?: string; flags?: number } = {}): Promise<Held> {
  const held: Held = { answer: undefined, failure: undefined, done: Promise.resolve() }
  const before = system.broker.context.holds.size
  held.done = pull(values).then(
    answer => {
      held.answer = answer
    },
    (error: unknown) => {
      held.failure = error
    },
  )
  await eventually(() => system.broker.context.holds.size === before + 1, 'the broker holding the pull')
  return held
}

function pull(values: { suspendMs?: number; subscription?: string; flags?: number }): Promise<RemotingCommand> {
  const extFields = PullMessageRequestHeader.encode({
    consumerGroup: 'G',
    topic: 'T',
    queueId: 0,
    queueOffset: system.broker.context.store.maxOffset('T', 0),
    maxMsgNums: 32,
    sysFlag: values.flags ?? PullSysFlag.SUSPEND | PullSysFlag.SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: values.suspendMs ?? 15_000,
    subscription: values.subscription ?? '*',
    subVersion: 0,
    expressionType: 'TAG',
  })
  return client.invoke(system.brokerAddr, { code: RequestCode.PULL_MESSAGE, extFields }, TIMEOUT_MS)
}

describe('a pull that finds nothing', () => {
  beforeEach(() => start())

  it('is answered with the message that arrives', async () => {
    const held = await pullAndHold()
    await producer.send({ topic: 'T', body: 'woken' })
    await held.done
    expect(held.answer!.code).toBe(ResponseCode.SUCCESS)
    expect(PullMessageResponseHeader.decode(held.answer!.extFields)).toMatchObject({ nextBeginOffset: 1, maxOffset: 1 })
    expect(held.answer!.body.includes('woken')).toBe(true)
  })

  it('is not woken by a message it does not want', async () => {
    const held = await pullAndHold({ subscription: 'Wanted' })
    await producer.send({ topic: 'T', body: 'other', tags: 'Unwanted' })
    expect(held.answer).toBeUndefined()
    await producer.send({ topic: 'T', body: 'this one', tags: 'Wanted' })
    await held.done
    expect(held.answer!.body.includes('this one')).toBe(true)
    expect(held.answer!.body.includes('other')).toBe(false)
  })

  it('is answered with 19 when its time is up', async () => {
    const start = performance.now()
    const held = await pullAndHold({ suspendMs: 500 })
    await held.done
    expect(held.answer!.code).toBe(ResponseCode.PULL_NOT_FOUND)
    expect(performance.now() - start).toBeGreaterThanOrEqual(500)
  })

  it('is forgotten when its client goes', async () => {
    await pullAndHold()
    client.drop(system.brokerAddr, 'the test leaves')
    await eventually(() => system.broker.context.holds.size === 0)
    await producer.send({ topic: 'T', body: 'nobody waits' })
  })

  it('is answered when the broker stops', async () => {
    const held = await pullAndHold()
    await system.stopBroker()
    await held.done
    expect(held.failure).toBeUndefined()
    expect(held.answer!.code).toBe(ResponseCode.PULL_NOT_FOUND)
  })

  it('is answered at once when it does not want to wait', async () => {
    const answer = await pull({ flags: PullSysFlag.SUBSCRIPTION })
    expect(answer.code).toBe(ResponseCode.PULL_NOT_FOUND)
  })

  it('wakes all that wait for the queue', async () => {
    const held = [await pullAndHold(), await pullAndHold(), await pullAndHold()]
    await producer.send({ topic: 'T', body: 'for all' })
    await Promise.all(held.map(one => one.done))
    expect(held.map(one => one.answer!.code)).toEqual([0, 0, 0])
  })
})

describe('with long polling switched off', () => {
  beforeEach(() => start({ longPollingEnable: false, shortPollingTimeMills: 300 }))

  it('a pull is held for the short time, whatever arrives', async () => {
    const start = performance.now()
    const held = await pullAndHold()
    await producer.send({ topic: 'T', body: 'x' })
    await held.done
    expect(performance.now() - start).toBeGreaterThanOrEqual(290)
    expect(held.answer!.code).toBe(ResponseCode.SUCCESS)
  })
})
