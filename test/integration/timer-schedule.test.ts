import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CometRequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'
import { runMqadmin } from '../support/run-mqadmin.js'

const FILES = { mappedFileSizeTimerLog: 5216, serverChannelMaxIdleTimeSeconds: 1_000_000 }

interface Shown {
  kind: string
  topic: string
  queueId: number
  deliverTime: number
  uniqKey: string
  offsetMsgId: string
}

let broker: BrokerDriver
beforeEach(async () => {
  broker = await BrokerDriver.start(FILES)
})
afterEach(() => broker.stop())

const bodies = async (topic: string, queueId = 0): Promise<string[]> =>
  (await broker.pull(topic, queueId)).map(message => message.body.toString())
const pass = async (ms: number): Promise<void> => {
  for (let left = ms; left > 0; left -= 100) await broker.clock.advance(Math.min(100, left))
}
const list = async (query: Record<string, unknown> = {}): Promise<Shown[]> => {
  const { body } = await broker.call(CometRequestCode.LIST_SCHEDULED, query)
  return (JSON.parse(body.toString()) as { messages: Shown[] }).messages
}
const cancel = (id: string) => broker.call(CometRequestCode.CANCEL_SCHEDULED, { id })
const retime = (id: string, deliverTime: number) => broker.call(CometRequestCode.RETIME_SCHEDULED, { id, deliverTime })
const sendTimer = (id: string, seconds: number, more: Record<string, string> = {}, topic = 'T') =>
  broker.send({ topic, body: id, properties: { UNIQ_KEY: id, TIMER_DELAY_SEC: String(seconds), ...more } })
const sendDelayed = (id: string, level: number) =>
  broker.send({ topic: 'T', body: id, properties: { UNIQ_KEY: id, DELAY: String(level) } })
const ids = (messages: readonly Shown[]): string[] => messages.map(({ uniqKey }) => uniqKey)

describe('waiting messages', () => {
  test('are listed, and searched by topic, key, id and time, timers and delay levels alike', async () => {
    const now = broker.clock.now()
    await sendTimer('A', 30, { KEYS: 'order-1 order-2' })
    await sendTimer('B', 60)
    await sendTimer('C', 60, {}, 'Other')
    await sendDelayed('D', 5)
    const all = await list()
    expect(all.map(({ kind, uniqKey, topic }) => `${kind} ${uniqKey} ${topic}`)).toEqual([
      'TIMER A T',
      'TIMER B T',
      'TIMER C Other',
      'DELAY D T',
    ])
    expect(all[0]!.deliverTime - (now + 30_000)).toBeLessThanOrEqual(1_000)
    expect(all[3]!.deliverTime).toBe(now + 60_000)
    expect(ids(await list({ topic: 'Other' }))).toEqual(['C'])
    expect(ids(await list({ key: 'order-2' }))).toEqual(['A'])
    expect(ids(await list({ id: 'D' }))).toEqual(['D'])
    expect(ids(await list({ id: all[1]!.offsetMsgId }))).toEqual(['B'])
    expect(ids(await list({ beginTime: now + 45_000 }))).toEqual(['B', 'C', 'D'])
    expect(ids(await list({ endTime: now + 45_000 }))).toEqual(['A'])
    const { body } = await broker.call(CometRequestCode.LIST_SCHEDULED, { maxNum: 2 })
    expect(JSON.parse(body.toString())).toMatchObject({ hasMore: true, messages: [{}, {}] })
    await pass(31_100)
    expect(ids(await list())).toEqual(['B', 'C', 'D'])
  })

  test('are taken back by unique id or message id, and not delivered', async () => {
    for (const id of ['A', 'B']) await sendTimer(id, 10)
    for (const id of ['C', 'D']) await sendDelayed(id, 3)
    const [a] = await list()
    expect(await cancel(a!.offsetMsgId)).toMatchObject({ code: 0 })
    expect(await cancel('C')).toMatchObject({ code: 0 })
    expect(ids(await list())).toEqual(['B', 'D'])
    await broker.stop()
    await broker.start(FILES)
    expect(ids(await list())).toEqual(['B', 'D'])
    await pass(12_000)
    await eventually(async () => (await bodies('T')).length === 2)
    expect((await bodies('T')).sort()).toEqual(['B', 'D'])
    expect(await cancel('B')).toMatchObject({ code: 22, remark: expect.stringContaining('no message with the id B') })
  })

  test('get another time: earlier, later, at once', async () => {
    const now = broker.clock.now()
    await sendTimer('earlier', 60)
    await sendTimer('later', 5)
    await sendTimer('now', 60)
    await sendDelayed('level', 14)
    expect(await retime('earlier', now + 3_000)).toMatchObject({ code: 0 })
    expect(await retime('later', now + 20_000)).toMatchObject({ code: 0 })
    expect(await retime('now', now)).toMatchObject({ code: 0 })
    expect(await retime('level', now + 9_000)).toMatchObject({ code: 0 })
    await pass(300)
    expect(await bodies('T')).toEqual(['now'])
    await pass(4_000)
    expect(await bodies('T')).toEqual(['now', 'earlier'])
    await pass(6_000)
    expect(await bodies('T')).toEqual(['now', 'earlier', 'level'])
    await pass(8_000)
    expect(await bodies('T')).toHaveLength(3)
    await pass(4_000)
    expect(await bodies('T')).toEqual(['now', 'earlier', 'level', 'later'])
    broker.clock.jump(3_600_000)
    await pass(1_000)
    expect(await bodies('T')).toHaveLength(4)
  })

  test('an impossible time is refused and changes nothing', async () => {
    const now = broker.clock.now()
    await sendTimer('A', 30)
    expect(await retime('A', now + 4 * 86_400_000)).toMatchObject({ code: 29 })
    expect(await retime('A', now + 60_000)).toMatchObject({ code: 0 })
    const back = await retime('A', now + 30_000)
    expect(back).toMatchObject({ code: 29, remark: expect.stringContaining('choose another second') })
    await pass(32_000)
    expect(await bodies('T')).toEqual([])
    await pass(30_000)
    await eventually(async () => (await bodies('T')).length === 1)
    expect(await bodies('T')).toEqual(['A'])
  })

  test('several with one id: the answer names them, and nothing is taken back', async () => {
    await sendTimer('A', 30)
    await sendTimer('A', 40)
    const [first, second] = await list()
    const refused = await cancel('A')
    expect(refused.code).toBe(29)
    expect(refused.remark).toContain(`${first!.offsetMsgId} or ${second!.offsetMsgId}`)
    expect(await list()).toHaveLength(2)
  })
})

test('mqadmin schedule lists, cancels and re-times', async () => {
  const env = { NAMESRV_ADDR: broker.namesrvAddr }
  const run = (...argv: string[]) => runMqadmin(['schedule', ...argv], env)
  await sendTimer('A', 30, { KEYS: 'k1' })
  await sendTimer('B', 60)
  const listed = await run('-b', broker.brokerAddr, '--json')
  expect(JSON.parse(listed.stdout)).toMatchObject({ result: [{ uniqKey: 'A', keys: 'k1' }, { uniqKey: 'B' }] })
  const text = (await run('-c', 'DefaultCluster', '-k', 'k1')).stdout
  expect(text.split('\n')[0]).toMatch(/^#Due\s+#Kind\s+#Topic\s+#QID/)
  expect(text).toContain('TIMER')
  expect((await run('-b', broker.brokerAddr, '-i', 'A', '-x')).stdout).toContain('message A of topic T')
  expect((await run('-b', broker.brokerAddr, '-i', 'B', '-d', String(broker.clock.now()))).stdout).toContain(
    'is due at',
  )
  await pass(300)
  expect(await bodies('T')).toEqual(['B'])
  expect((await run('-b', broker.brokerAddr, '-i', 'A', '-x', '--strict')).exitCode).toBe(2)
  expect((await run('-b', broker.brokerAddr, '-x')).stdout).toContain('usage: mqadmin schedule')
})
