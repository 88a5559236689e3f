import { afterEach, describe, expect, test } from 'vitest'
import { DeadLetterRedrive } from '../../src/admin/commands/dlq-redrive.js'
import { AdminClient, MQClientError } from '../../src/client/index.js'
import { type MessageExt, RequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'

let broker: BrokerDriver
afterEach(() => broker.stop())

const RETRY = '%RETRY%G'
const DLQ = '%DLQ%G'

/** Sends messages `m0`, `m1`, ... and lets group G give each of them up. */
async function deadLetters(count: number, topic = 'T', reason?: string): Promise<void> {
  for (let i = 0; i < count; i++) {
    const properties = { KEYS: `k${i} all`, TAGS: 'A', UNIQ_KEY: `${topic}${i}`, amount: String(i), DELAY: '0' }
    await broker.send({ topic, body: `m${i}`, properties })
    const message = (await broker.pull(topic, 0)).at(-1)!
    const answer = await broker.sendBack({ message, group: 'G', delayLevel: -1, ...(reason ? { reason } : {}) })
    expect(answer.code).toBe(0)
    await broker.clock.advance(1000)
  }
}

const dlq = async (...args: string[]) => {
  const { stdout, stderr, exitCode } = await runMqadmin(['dlq', '-n', broker.namesrvAddr, ...args])
  return { stdout, stderr, exitCode }
}
const dlqJson = async (...args: string[]) => JSON.parse((await dlq(...args, '--json')).stdout)

/** What stands in the topic now, without the messages it began with. */
const copies = async (topic = 'T', queues = 8): Promise<MessageExt[]> =>
  (await broker.pullAll(topic, queues)).filter(message => message.properties.has('DLQ_REDRIVEN_FROM'))
const outcomes = (answer: { result: { results: { outcome: string }[] } }): string[] =>
  answer.result.results.map(result => result.outcome)

describe('mqadmin dlq', () => {
  test('lists the groups that have dead letters: how many, since when, until when', async () => {
    broker = await BrokerDriver.start()
    expect((await dlq()).stdout).toContain('No group has dead letters.')
    const start = broker.clock.now()
    await deadLetters(3)
    const { result } = await dlqJson()
    expect(result).toEqual([{ group: 'G', count: 3, oldest: start, newest: start + 2000 }])
    expect((await dlq()).stdout).toMatch(/^#Group +#Count +#Oldest +#Newest\nG +3 +20/)
  })

  test('shows them with origin, retries and reason, the oldest first, as many as asked for', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(3, 'T', 'card expired')
    const { result } = await dlqJson('-g', 'G', '-c', '2')
    expect(result).toHaveLength(2)
    expect(result[0]).toMatchObject({ msgId: 'T0', originTopic: 'T', reason: 'card expired', body: 'm0' })
    const text = (await dlq('-g', 'G', '-d')).stdout
    expect(text).toMatch(/T0 +\S+ \S+ +T +0 +k0 all +card expired\n/)
    expect(text).toContain('    amount: 2\n')
    expect(text).toContain('    m2\n')
  })

  test('selects by key, id, topic and time', async () => {
    broker = await BrokerDriver.start()
    const start = broker.clock.now()
    await deadLetters(3)
    await deadLetters(1, 'Other')
    const ids = async (...args: string[]): Promise<string[]> =>
      (await dlqJson('-g', 'G', ...args)).result.map((letter: { msgId: string }) => letter.msgId)
    expect(await ids('-k', 'k1')).toEqual(['T1'])
    expect(await ids('-k', 'all', '-t', 'T')).toEqual(['T0', 'T1', 'T2'])
    expect(await ids('-t', 'Other')).toEqual(['Other0'])
    expect(await ids('-i', 'T2, T0')).toEqual(['T0', 'T2'])
    const [first] = await broker.pull(DLQ)
    expect(await ids('-i', first!.offsetMsgId)).toEqual(['T0'])
    expect(await ids('-i', first!.properties.get('ORIGIN_MESSAGE_ID')!)).toEqual(['T0'])
    expect(await ids('-s', String(start + 1000), '-e', String(start + 2000))).toEqual(['T1', 'T2'])
    expect(await ids('-k', 'none')).toEqual([])
    expect((await dlq('-g', 'G', '-k', 'none', '--strict')).exitCode).toBe(2)
  })

  test('a group without dead letters, and a topic that may not be read, are told as such', async () => {
    broker = await BrokerDriver.start()
    expect((await dlq('-g', 'Nobody', '--strict')).stderr).toContain('no topic %DLQ%Nobody')
    await deadLetters(1)
    const fields = { topic: DLQ, defaultTopic: 'TBW102', readQueueNums: 1, writeQueueNums: 1, perm: 2 }
    const more = { topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false }
    await broker.call(RequestCode.UPDATE_AND_CREATE_TOPIC, { ...fields, ...more })
    expect((await dlq('-g', 'G', '--strict')).stderr).toContain('mqadmin updateTopicPerm -t %DLQ%G -p 6')
  })
})

describe('mqadmin dlq --redrive', () => {
  test('sends them to the topic they came from, as their sender made them, with the mark of where they were', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(2)
    const answer = await dlqJson('-g', 'G', '--redrive', '--all')
    expect(answer.result.counts).toEqual({ redriven: 2 })
    const letters = await broker.pull(DLQ)
    const found = await copies()
    expect(found.map(copy => copy.body.toString()).sort()).toEqual(['m0', 'm1'])
    const copy = found.find(one => one.body.toString() === 'm0')!
    expect(copy).toMatchObject({ topic: 'T', flag: 7, reconsumeTimes: 0, bornTimestamp: letters[0]!.bornTimestamp })
    const { MSG_REGION, TRACE_ON, CLUSTER, ...own } = Object.fromEntries(copy.properties)
    expect([MSG_REGION, TRACE_ON, CLUSTER]).toEqual(['DefaultRegion', 'true', 'DefaultCluster'])
    expect(own).toEqual({
      KEYS: 'k0 all',
      TAGS: 'A',
      amount: '0',
      UNIQ_KEY: 'T0',
      ORIGIN_MESSAGE_ID: letters[0]!.properties.get('ORIGIN_MESSAGE_ID'),
      DLQ_REDRIVEN_FROM: letters[0]!.offsetMsgId,
    })
    expect(answer.result.results[0]).toMatchObject({ msgId: 'T0', topic: 'T', copyId: copy.offsetMsgId })
  })

  test('stopped half way and run again: each is sent once', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(5)
    expect(outcomes(await dlqJson('-g', 'G', '--redrive', '-c', '2'))).toEqual(['redriven', 'redriven'])
    await broker.stop()
    await broker.start()
    const again = await dlqJson('-g', 'G', '--redrive', '--all')
    expect(outcomes(again)).toEqual(['already', 'already', 'redriven', 'redriven', 'redriven'])
    expect(outcomes(await dlqJson('-g', 'G', '--redrive', '--all'))).toEqual(Array(5).fill('already'))
    expect(await copies()).toHaveLength(5)
  })

  test('two selections that overlap, and a change of mind about the target, send nothing twice', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(3)
    await dlq('-g', 'G', '--redrive', '-k', 'k1')
    expect(outcomes(await dlqJson('-g', 'G', '-r', '-k', 'all', '--onlyGroup'))).toEqual([
      'redriven',
      'already',
      'redriven',
    ])
    expect(outcomes(await dlqJson('-g', 'G', '-r', '--all'))).toEqual(['already', 'already', 'already'])
    expect(await copies('T')).toHaveLength(1)
    expect(await copies(RETRY)).toHaveLength(2)
  })

  test('--onlyGroup: the copy stands in the retry topic, at once, and knows its topic', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    await dlq('-g', 'G', '--redrive', '--all', '--onlyGroup')
    const [copy] = await copies(RETRY)
    expect(copy).toMatchObject({ reconsumeTimes: 0 })
    expect(copy!.properties.get('RETRY_TOPIC')).toBe('T')
    expect(await copies('T')).toEqual([])
  })

  test('--dry-run says what would be done and sends nothing', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(2)
    await dlq('-g', 'G', '--redrive', '-k', 'k0')
    const answer = await dlqJson('-g', 'G', '--redrive', '--all', '--dry-run')
    expect(outcomes(answer)).toEqual(['already', 'pending'])
    expect(await copies()).toHaveLength(1)
  })

  test('a copy that dies again is a dead letter of its own and can be sent again', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    await dlq('-g', 'G', '--redrive', '--all')
    const [copy] = await copies()
    await broker.sendBack({ message: copy!, group: 'G', delayLevel: 1 })
    await broker.clock.advance(1000)
    await eventually(async () => (await broker.pull(RETRY)).length === 1)
    const [retry] = await broker.pull(RETRY)
    await broker.sendBack({ message: retry!, group: 'G', delayLevel: -1 })
    expect(outcomes(await dlqJson('-g', 'G', '--redrive', '--all'))).toEqual(['already', 'redriven'])
    expect(outcomes(await dlqJson('-g', 'G', '--redrive', '--all'))).toEqual(['already', 'already'])
  })

  test('what cannot be sent is named and the rest goes on', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1, 'Gone')
    await deadLetters(1)
    await broker.send({ topic: DLQ, body: 'stray', properties: { UNIQ_KEY: 'stray' } })
    const namesrv = ['-n', broker.namesrvAddr]
    await runMqadmin(['deleteTopic', ...namesrv, '-t', 'Gone', '-c', 'DefaultCluster'])
    const answer = await dlqJson('-g', 'G', '--redrive', '--all')
    expect(outcomes(answer)).toEqual(['refused', 'redriven', 'refused'])
    expect(answer.problems).toEqual([
      'Gone0: refused: no broker takes messages of the topic: was it deleted?',
      'stray: refused: it has no property RETRY_TOPIC',
    ])
    expect((await dlq('-g', 'G', '--redrive', '--all', '--strict')).exitCode).toBe(2)
  })

  test('long bodies travel packed and arrive whole', async () => {
    broker = await BrokerDriver.start()
    const body = 'long '.repeat(5000)
    await broker.send({ topic: 'T', body, properties: { UNIQ_KEY: 'L' } })
    await broker.sendBack({ message: (await broker.pull('T'))[0]!, group: 'G', delayLevel: -1 })
    await dlq('-g', 'G', '--redrive', '--all')
    const { result } = JSON.parse(
      (await runMqadmin(['consumeMessage', '-n', broker.namesrvAddr, '-t', 'T', '--json'])).stdout,
    )
    expect(result.map((message: { body: string }) => message.body)).toEqual([body, body])
  })

  test('without a selection, or without a group, it is refused', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    expect(await dlq('-g', 'G', '--redrive')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('--redrive needs a selection'),
    })
    expect(await dlq('--redrive')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('--redrive needs -g') })
    expect(await copies()).toEqual([])
  })

  test('a broker without an index cannot tell what was sent: refused before anything is', async () => {
    broker = await BrokerDriver.start({ messageIndexEnable: false })
    await deadLetters(1)
    expect((await dlq('-g', 'G', '--redrive', '--all')).stderr).toContain('messageIndexEnable=false')
    expect(await copies()).toEqual([])
  })
})

/** An AdminClient whose sends go wrong: before they reach the broker, or on the way back. */
class LossyAdmin extends AdminClient {
  loses: 'request' | 'answer' | 'nothing' = 'nothing'

  override async invokeBroker(...call: Parameters<AdminClient['invokeBroker']>) {
    const isSend = call[1] === RequestCode.SEND_MESSAGE_V2
    const lost = new MQClientError('ERR_CLIENT_TIMEOUT', 'no answer in 5000 ms', { responseCode: 10_002 })
    if (isSend && this.loses === 'request') throw lost
    const answer = await super.invokeBroker(...call)
    if (isSend && this.loses === 'answer') throw lost
    return answer
  }
}

describe('when an answer is lost', () => {
  async function lossy(loses: LossyAdmin['loses']): Promise<LossyAdmin> {
    const admin = new LossyAdmin({ namesrvAddr: broker.namesrvAddr })
    await admin.start()
    admin.loses = loses
    return admin
  }
  const options = { group: 'G', isDryRun: false, isOnlyGroup: false }

  test('a copy that was stored is found, and reported as sent', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    const admin = await lossy('answer')
    const [letter] = await broker.pull(DLQ)
    const result = await new DeadLetterRedrive(admin, options).redrive(letter!)
    await admin.stop()
    expect(result).toMatchObject({ outcome: 'redriven', copyId: (await copies())[0]!.offsetMsgId })
  })

  test('one that was not stored is unknown, and sent by the next run', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    const admin = await lossy('request')
    const [letter] = await broker.pull(DLQ)
    const redrive = new DeadLetterRedrive(admin, options)
    expect(await redrive.redrive(letter!)).toMatchObject({ outcome: 'unknown', detail: 'no answer in 5000 ms' })
    admin.loses = 'nothing'
    expect(await redrive.redrive(letter!)).toMatchObject({ outcome: 'redriven' })
    await admin.stop()
    expect(await copies()).toHaveLength(1)
  })

  test('a mark is found behind however many later copies and retries of the same message', async () => {
    broker = await BrokerDriver.start()
    await deadLetters(1)
    await dlq('-g', 'G', '--redrive', '--all')
    for (let i = 0; i < 80; i++) {
      await broker.send({ topic: 'T', body: 'same', properties: { UNIQ_KEY: 'T0' } })
      await broker.clock.advance(1000)
    }
    expect(outcomes(await dlqJson('-g', 'G', '--redrive', '--all'))).toEqual(['already'])
  })
})
