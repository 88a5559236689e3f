import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PushConsumer } from '../../src/client/index.js'
import { CometRequestCode, parseFastJson, RequestCode, readObject } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'

const STEP = 2000

let broker: BrokerDriver
beforeEach(async () => {
  broker = await BrokerDriver.start()
})
afterEach(() => broker.stop())

/** A topic of two queues with six messages each, two seconds between two; group G has consumed all but one. */
async function prepare(): Promise<void> {
  const topic = { topic: 'T', defaultTopic: 'TBW102', readQueueNums: 2, writeQueueNums: 2, perm: 6 }
  const more = { topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false }
  expect((await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...topic, ...more })).code).toBe(0)
  const group = { groupName: 'G', consumeEnable: true, retryQueueNums: 1, retryMaxTimes: 16 }
  await broker.call(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, {}, { body: JSON.stringify(group) })
  for (let i = 0; i < 6; i++) {
    for (const queueId of [0, 1]) {
      const sent = await broker.send({ topic: 'T', queueId, body: `m${i}` })
      expect([sent.code, sent.remark]).toEqual([0, undefined])
    }
    await broker.clock.advance(STEP)
  }
  for (const queueId of [0, 1]) await commit(queueId, 5)
}

const at = (step: number): number => 1_700_000_000_000 + step * STEP

async function commit(queueId: number, commitOffset: number) {
  return broker.call(RequestCode.UPDATE_CONSUMER_OFFSET, { consumerGroup: 'G', topic: 'T', queueId, commitOffset })
}

async function stored(queueId: number, group = 'G'): Promise<number | undefined> {
  const fields = { consumerGroup: group, topic: 'T', queueId, setZeroIfNotFound: false }
  const answer = await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, fields)
  return answer.code === 0 ? Number(answer.extFields?.offset) : undefined
}

function reset(fields: Record<string, unknown>) {
  const defaults = { topic: 'T', group: 'G', timestamp: -1, isForce: true, queueId: -1, offset: -1 }
  return broker.call(RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, { ...defaults, ...fields })
}

/** Offsets of the answer by queue id. */
function offsetTable(body: Buffer): Record<string, unknown> {
  const table = readObject(readObject(parseFastJson(body)).offsetTable)
  return Object.fromEntries(
    Object.entries(table).map(([queue, offset]) => [String(readObject(parseFastJson(queue)).queueId), offset]),
  )
}

function pull(queueId: number, queueOffset: number, more: Record<string, unknown> = {}) {
  return broker.call(RequestCode.PULL_MESSAGE, {
    consumerGroup: 'G',
    topic: 'T',
    queueId,
    queueOffset,
    maxMsgNums: 32,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 15_000,
    subscription: '*',
    subVersion: 0,
    expressionType: 'TAG',
    ...more,
  })
}

describe('INVOKE_BROKER_TO_RESET_OFFSET (222), by the broker', () => {
  test('by time: every queue goes to the first message stored since', async () => {
    await prepare()
    const answer = await reset({ timestamp: at(2) })
    expect(answer.code).toBe(0)
    expect(offsetTable(answer.body)).toEqual({ 0: 2, 1: 2 })
    expect(await stored(0)).toBe(2)
  })

  test('a negative time is the end, a time before all is the beginning', async () => {
    await prepare()
    expect(offsetTable((await reset({ timestamp: -1 })).body)).toEqual({ 0: 6, 1: 6 })
    expect(offsetTable((await reset({ timestamp: 0 })).body)).toEqual({ 0: 0, 1: 0 })
    expect(offsetTable((await reset({ timestamp: at(99) })).body)).toEqual({ 0: 6, 1: 6 })
  })

  test('one queue by offset and by time; the others stay', async () => {
    await prepare()
    expect(offsetTable((await reset({ queueId: 1, offset: 3, timestamp: 0 })).body)).toEqual({ 1: 3 })
    expect([await stored(0), await stored(1)]).toEqual([5, 3])
    expect(offsetTable((await reset({ queueId: 0, timestamp: at(4) })).body)).toEqual({ 0: 4 })
  })

  test.each([
    [{ topic: 'NoSuch' }, 17, 'Topic NoSuch does not exist'],
    [{ group: 'NoSuch' }, 26, 'Group NoSuch does not exist'],
    [{ queueId: 1, offset: 7 }, 1, 'Target offset 7 not in consume queue range [0-6]'],
    [{ queueId: 9, timestamp: 0 }, 29, 'queueId[9] is illegal, topic T has the queues 0 to 1'],
  ])('%j is refused and nothing changes', async (fields, code, remark) => {
    await prepare()
    expect(await reset(fields)).toMatchObject({ code, remark })
    expect([await stored(0), await stored(1)]).toEqual([5, 5])
  })

  test('a pending reset outlives commits and is told to the next pull, once', async () => {
    await prepare()
    await reset({ timestamp: at(1) })
    expect(await commit(0, 6)).toMatchObject({ code: 0, remark: 'Offset has been previously reset' })
    expect(await stored(0)).toBe(1)
    // a pull that commits where its client was must not undo the reset either
    const told = await pull(0, 6, { sysFlag: 5, commitOffset: 6 })
    expect(told).toMatchObject({ code: 21, extFields: { nextBeginOffset: '1', minOffset: '0', maxOffset: '6' } })
    expect(await stored(0)).toBe(1)
    expect((await pull(0, 1)).code).toBe(0)
    expect(await commit(0, 6)).toMatchObject({ code: 0 })
    expect(await stored(0)).toBe(6)
  })

  test('a pull that waits for messages is told at once', async () => {
    await prepare()
    const waiting = pull(1, 6, { sysFlag: 6 })
    await broker.clock.advance(100)
    // the driver sends one request at a time: the reset goes through a connection of its own
    const other = await runMqadmin([
      ...['resetOffsetByTime', '-g', 'G', '-t', 'T', '-s', String(at(3))],
      ...['-n', broker.namesrvAddr],
    ])
    expect(other.stderr).toBe('')
    expect(await waiting).toMatchObject({ code: 21, extFields: { nextBeginOffset: '3' } })
  })

  test('it survives a restart', async () => {
    await prepare()
    await reset({ timestamp: at(1) })
    await broker.stop()
    await broker.start()
    expect([await stored(0), await stored(1)]).toEqual([1, 1])
  })
})

interface Effect {
  queue: { queueId: number }
  before: number
  after: number
  reread: number
  skipped: number
}

function effects(body: Buffer): Effect[] {
  return (JSON.parse(body.toString()) as { queues: Effect[] }).queues
}

describe('preview and undo', () => {
  const where = { topic: 'T', group: 'G' }
  const undo = () => broker.call(CometRequestCode.UNDO_OFFSET_RESET, where)

  test('a preview counts what would be delivered again or skipped, and changes nothing', async () => {
    await prepare()
    const preview = await broker.call(CometRequestCode.PREVIEW_OFFSET_RESET, { ...where, timestamp: at(2) })
    expect(effects(preview.body)).toMatchObject([
      { queue: { queueId: 0 }, before: 5, after: 2, reread: 3, skipped: 0 },
      { queue: { queueId: 1 }, before: 5, after: 2, reread: 3, skipped: 0 },
    ])
    const ahead = await broker.call(CometRequestCode.PREVIEW_OFFSET_RESET, { ...where, timestamp: -1, queueId: 0 })
    expect(effects(ahead.body)).toMatchObject([{ before: 5, after: 6, reread: 0, skipped: 1 }])
    expect([await stored(0), await stored(1)]).toEqual([5, 5])
    expect((await pull(0, 6)).code).not.toBe(21)
    expect((await undo()).code).toBe(22)
  })

  test('the last reset is taken back, also after a restart, and only once', async () => {
    await prepare()
    await commit(0, 4)
    await reset({ timestamp: 0 })
    const file = join(broker.store, 'config', 'offsetResets.json')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      lastResets: { 'T@G': { group: 'G', queues: { 0: { before: 4, after: 0 }, 1: { before: 5, after: 0 } } } },
    })
    await broker.stop()
    await broker.start()
    const preview = await broker.call(CometRequestCode.PREVIEW_OFFSET_RESET, { ...where, timestamp: 0, undo: true })
    expect(effects(preview.body)).toMatchObject([
      { before: 0, after: 4, skipped: 4 },
      { before: 0, after: 5, skipped: 5 },
    ])
    expect((await undo()).code).toBe(0)
    expect([await stored(0), await stored(1)]).toEqual([4, 5])
    expect(await pull(0, 0)).toMatchObject({ code: 21, extFields: { nextBeginOffset: '4' } })
    expect(await undo()).toMatchObject({
      code: 22,
      remark: 'No reset of group G on topic T is known that could be undone',
    })
  })

  test('a group that had no offset has none again', async () => {
    await prepare()
    await broker.call(
      RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
      {},
      { body: JSON.stringify({ groupName: 'New', consumeEnable: true }) },
    )
    await reset({ group: 'New', timestamp: at(2) })
    expect(await stored(0, 'New')).toBe(2)
    const back = await broker.call(CometRequestCode.UNDO_OFFSET_RESET, { topic: 'T', group: 'New' })
    expect(effects(back.body)).toMatchObject([
      { before: 2, after: -1 },
      { before: 2, after: -1 },
    ])
    expect(await stored(0, 'New')).toBeUndefined()
    expect((await pull(0, 6, { consumerGroup: 'New' })).code).not.toBe(21)
  })

  test('a topic that is deleted takes its resets with it', async () => {
    await prepare()
    await reset({ timestamp: 0 })
    await broker.call(RequestCode.DELETE_TOPIC_IN_BROKER, { topic: 'T' })
    await prepare()
    expect((await undo()).code).toBe(22)
  })
})

describe('mqadmin', () => {
  const mqadmin = (...argv: string[]) => runMqadmin([...argv, '-n', broker.namesrvAddr])

  test('resetOffsetByTime with --preview, for real, and undoResetOffset', async () => {
    await prepare()
    const argv = ['resetOffsetByTime', '-g', 'G', '-t', 'T', '-s', String(at(2))]
    const preview = await mqadmin(...argv, '--preview')
    expect(preview.stdout.replace(/ +/g, ' ')).toMatch(
      /^#brokerName #QID #minOffset #maxOffset #before #after #reread #skipped\n\S+ 0 0 6 5 2 3 0\n\S+ 1 0 6 5 2 3 0\nTotal: 6 messages delivered again, 0 skipped\n$/,
    )
    expect(await stored(0)).toBe(5)
    const real = await mqadmin(...argv)
    expect(real.stdout).toContain(
      `start reset consumer offset by specified, group[G], topic[T], force[true], timestamp(string)[${at(2)}], timestamp(long)[${at(2)}]\n`,
    )
    expect(await stored(0)).toBe(2)
    const undone = await mqadmin('undoResetOffset', '-g', 'G', '-t', 'T')
    expect(undone.stdout).toContain('Total: 0 messages delivered again, 6 skipped\n')
    expect(await stored(0)).toBe(5)
    const again = await mqadmin('undoResetOffset', '-g', 'G', '-t', 'T')
    expect(again.stderr).toContain('CODE: 22  DESC: No reset of group G on topic T is known that could be undone')
  })

  test('one queue goes to an offset, 0 too; -o without its queue is refused', async () => {
    await prepare()
    const argv = ['resetOffsetByTime', '-g', 'G', '-t', 'T', '-s', '0']
    const one = await mqadmin(...argv, '-b', broker.brokerAddr, '-q', '1', '-o', '0')
    expect(one.stdout).toContain('\nreset consumer offset to 0\n')
    expect([await stored(0), await stored(1)]).toEqual([5, 0])
    expect((await mqadmin(...argv, '-o', '3')).exitCode).toBe(1)
    await mqadmin('undoResetOffset', '-g', 'G', '-t', 'T')
    expect(await stored(1)).toBe(5)
  })

  test('skipAccumulatedMessage goes to the end', async () => {
    await prepare()
    const { stdout } = await mqadmin('skipAccumulatedMessage', '-g', 'G', '-t', 'T')
    expect(stdout.replace(/ +/g, ' ')).toMatch(/^#brokerName #queueId #offset \n\S+ 0 6 \n\S+ 1 6 \n$/)
    expect([await stored(0), await stored(1)]).toEqual([6, 6])
  })

  test('resetOffsetByTimeOld stores the offsets by hand; without force only backwards', async () => {
    await prepare()
    const argv = ['resetOffsetByTimeOld', '-g', 'G', '-t', 'T']
    const forward = await mqadmin(...argv, '-s', 'now', '-f', 'false')
    expect(forward.stdout.replace(/ +/g, ' ')).toMatch(
      /#brokerName #queueId #brokerOffset #consumerOffset #timestampOffset #resetOffset \n\S+ 0 6 5 6 5 \n/,
    )
    await mqadmin(...argv, '-s', String(at(1)), '-f', 'false')
    expect([await stored(0), await stored(1)]).toEqual([1, 1])
  })

  test('cloneGroupOffset gives one group the offsets of another', async () => {
    await prepare()
    await commit(1, 3)
    const unknown = await mqadmin('cloneGroupOffset', '-s', 'G', '-d', 'Twin', '-t', 'T')
    expect(unknown.stderr).toContain(
      `MQBrokerException: CODE: 26  DESC: Group Twin not exist! BROKER: ${broker.brokerAddr}`,
    )
    expect(await stored(0, 'Twin')).toBeUndefined()
    await mqadmin('updateSubGroup', '-g', 'Twin', '-b', broker.brokerAddr)
    const { stdout } = await mqadmin('cloneGroupOffset', '-s', 'G', '-d', 'Twin', '-t', 'T')
    expect(stdout).toBe('clone group offset success. srcGroup[G], destGroup=[Twin], topic[T]')
    expect([await stored(0, 'Twin'), await stored(1, 'Twin')]).toEqual([5, 3])
    const nobody = await mqadmin('cloneGroupOffset', '-s', 'Nobody', '-d', 'Twin', '-t', 'T')
    expect(nobody.stderr).toContain('CODE: 26  DESC: Group Nobody not exist!')
    await mqadmin('updateSubGroup', '-g', 'Idle', '-b', broker.brokerAddr)
    const nothing = await mqadmin('cloneGroupOffset', '-s', 'Idle', '-d', 'Twin', '-t', 'T', '--strict')
    expect(nothing).toMatchObject({ exitCode: 2 })
    expect(nothing.stderr).toContain('group Idle has no offsets of topic T')
  })

  test('getConsumerStatus of a group nobody of which is online', async () => {
    await prepare()
    const { stderr } = await mqadmin('getConsumerStatus', '-g', 'G', '-t', 'T')
    expect(stderr).toContain('CODE: 1  DESC: No Any Consumer online in the consumer group: [G]')
  })
})

/** A consumer on the system's clock, and what it received. */
async function consumer(received: string[]): Promise<PushConsumer> {
  const pushConsumer = new PushConsumer({
    group: 'G',
    namesrvAddr: broker.namesrvAddr,
    persistConsumerOffsetIntervalMs: 200,
    onMessages: messages => {
      received.push(...messages.map(({ body, queueId }) => `${queueId}:${body.toString()}`))
    },
  })
  await pushConsumer.subscribe('T')
  await pushConsumer.start()
  return pushConsumer
}

describe('members that are online', () => {
  test('go where the broker sends them, and getConsumerStatus shows it', async () => {
    await prepare()
    const received: string[] = []
    const member = await consumer(received)
    try {
      await eventually(() => received.length === 2, 'the two messages that were left')
      received.length = 0
      await reset({ timestamp: at(4) })
      await eventually(() => received.length >= 4, 'the last two again')
      expect(received.sort()).toEqual(['0:m4', '0:m5', '1:m4', '1:m5'])
      const argv = ['getConsumerStatus', '-g', 'G', '-t', 'T', '-n', broker.namesrvAddr]
      await eventually(async () => {
        const { stdout } = await runMqadmin(argv)
        return /^\S+@\S+ +\S+ +0 +6 +\n\S+@\S+ +\S+ +1 +6 +$/m.test(stdout)
      }, 'offsets in the memory of the member')
      await eventually(async () => (await stored(0)) === 6, 'the offset committed after the reset')
    } finally {
      await member.stop()
    }
  })

  test('cloneGroupOffset copies nothing of a topic they do not subscribe to, unless told to', async () => {
    await prepare()
    const member = await consumer([])
    try {
      await broker.send({ topic: 'Other', body: 'm' })
      const fields = { consumerGroup: 'G', topic: 'Other', queueId: 0, commitOffset: 1 }
      await broker.call(RequestCode.UPDATE_CONSUMER_OFFSET, fields)
      const argv = ['cloneGroupOffset', '-s', 'G', '-d', 'Twin', '-t', 'Other', '--strict', '-n', broker.namesrvAddr]
      await runMqadmin(['updateSubGroup', '-g', 'Twin', '-b', broker.brokerAddr, '-n', broker.namesrvAddr])
      const refused = await runMqadmin(argv)
      expect(refused).toMatchObject({ exitCode: 2 })
      expect(refused.stderr).toContain('members of G do not subscribe to Other: nothing was copied')
      const query = { consumerGroup: 'Twin', topic: 'Other', queueId: 0, setZeroIfNotFound: false }
      expect((await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, query)).code).toBe(22)
      expect(await runMqadmin([...argv, '-o', 'true'])).toMatchObject({ exitCode: 0 })
      expect((await broker.call(RequestCode.QUERY_CONSUMER_OFFSET, query)).extFields?.offset).toBe('1')
    } finally {
      await member.stop()
    }
  })

  test('with useServerSideResetOffset=false they are told by 220', async () => {
    await prepare()
    await broker.stop()
    await broker.start({ useServerSideResetOffset: false })
    const offline = await reset({ timestamp: at(4) })
    expect(offline).toMatchObject({
      code: 206,
      remark: `Consumer not online, so can not reset offset, Group: G Topic: T Timestamp: ${at(4)}`,
    })
    const received: string[] = []
    const member = await consumer(received)
    try {
      await eventually(() => received.length === 2, 'the two messages that were left')
      received.length = 0
      await eventually(async () => (await stored(0)) === 6 && (await stored(1)) === 6, 'the commits')
      expect(offsetTable((await reset({ timestamp: at(4) })).body)).toEqual({ 0: 4, 1: 4 })
      await eventually(() => received.length >= 4, 'the last two again', 30_000)
      expect(received.sort()).toEqual(['0:m4', '0:m5', '1:m4', '1:m5'])
      expect(await reset({ group: 'Other', timestamp: 0 })).toMatchObject({
        code: 1,
        remark: 'THe consumer group <Other> not exist',
      })
      expect(await reset({ topic: 'NoSuch' })).toMatchObject({
        code: 17,
        remark: '[reset-offset] reset offset failed, no topic in this broker. topic=NoSuch',
      })
    } finally {
      await member.stop()
    }
  })

  test('mqadmin falls back to the old way when the broker wants members that are not there', async () => {
    await prepare()
    await broker.stop()
    await broker.start({ useServerSideResetOffset: false })
    const argv = ['resetOffsetByTime', '-g', 'G', '-t', 'T', '-s', String(at(3)), '-n', broker.namesrvAddr]
    const { stdout } = await runMqadmin(argv)
    expect(stdout).toContain('reset consumer offset by specified consumerGroup[G], topic[T], force[true]')
    expect([await stored(0), await stored(1)]).toEqual([3, 3])
  })

  test('124: relays to a member that is not there say so', async () => {
    const call = { consumerGroup: 'G', clientId: '10.0.0.9@1' }
    expect(await broker.call(RequestCode.GET_CONSUMER_RUNNING_INFO, call)).toMatchObject({
      code: 1,
      remark: 'The Consumer <G> <10.0.0.9@1> not online',
    })
  })
})
