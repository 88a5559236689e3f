import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { RequestCode } from '../../src/common/index.js'
import { BrokerDriver } from '../support/broker-driver.js'
import { eventually } from '../support/eventually.js'

let broker: BrokerDriver
afterEach(() => broker.stop())

const bodies = async (topic: string, queueId = 0): Promise<string[]> =>
  (await broker.pull(topic, queueId)).map(message => message.body.toString())
const arrived = (topic: string, count: number, queueId = 0): Promise<void> =>
  eventually(async () => (await bodies(topic, queueId)).length === count, `${count} messages of ${topic}`)

describe('delay levels', () => {
  test('84: DELAY=3 is delivered 10 s later and not earlier, to the queue it was sent to', async () => {
    broker = await BrokerDriver.start()
    const sent = await broker.send({ topic: 'T', queueId: 2, body: 'later', properties: { DELAY: '3', KEYS: 'k1' } })
    expect(sent.code).toBe(0)
    expect(sent.extFields).toMatchObject({ queueId: '2' })
    const sentAt = broker.clock.now()
    await broker.clock.advance(9_999)
    expect(await bodies('T', 2)).toEqual([])
    await broker.clock.advance(1)
    await arrived('T', 1, 2)
    const [message] = await broker.pull('T', 2)
    expect(message).toMatchObject({ topic: 'T', queueId: 2, flag: 7, bornTimestamp: sentAt, reconsumeTimes: 0 })
    expect(message!.storeTimestamp).toBe(sentAt + 10_000)
    // as with RocketMQ, a consumer sees that it was delayed
    expect(Object.fromEntries(message!.properties)).toMatchObject({
      DELAY: '3',
      REAL_TOPIC: 'T',
      REAL_QID: '2',
      KEYS: 'k1',
    })
  })

  test('85: DELAY=25 counts as the highest level', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', properties: { DELAY: '25' } })
    broker.clock.jump(7_198_000)
    await broker.clock.advance(1_999)
    expect(await bodies('T')).toEqual([])
    await broker.clock.advance(1)
    await arrived('T', 1)
    expect((await broker.pull('T'))[0]!.properties.get('DELAY')).toBe('18')
  })

  test('86: a level wins over timer properties, which are gone afterwards', async () => {
    broker = await BrokerDriver.start()
    const sent = await broker.send({ topic: 'T', properties: { DELAY: '2', TIMER_DELAY_SEC: '60' } })
    expect(sent.code).toBe(0)
    await broker.clock.advance(5_000)
    await arrived('T', 1)
    expect([...(await broker.pull('T'))[0]!.properties.keys()].filter(name => name.startsWith('TIMER'))).toEqual([])
  })

  test('DELAY=0 and a negative one are no delay; one that is no number is refused and nothing is stored', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', body: 'a', properties: { DELAY: '0' } })
    await broker.send({ topic: 'T', body: 'b', properties: { DELAY: '-1' } })
    const refused = await broker.send({ topic: 'T', body: 'c', properties: { DELAY: 'soon' } })
    expect(refused).toMatchObject({ code: 13, remark: expect.stringContaining('property DELAY is "soon"') })
    expect(await bodies('T')).toEqual(['a', 'b'])
    await broker.clock.advance(10_000)
    expect(await bodies('T')).toEqual(['a', 'b'])
  })

  test('a level keeps the order of its messages; other levels overtake it', async () => {
    broker = await BrokerDriver.start()
    for (let i = 0; i < 20; i++) await broker.send({ topic: 'T', body: `slow ${i}`, properties: { DELAY: '2' } })
    await broker.send({ topic: 'T', body: 'quick', properties: { DELAY: '1' } })
    await broker.clock.advance(5_000)
    await arrived('T', 21)
    expect(await bodies('T')).toEqual(['quick', ...Array.from({ length: 20 }, (_, i) => `slow ${i}`)])
  })

  test('90: a restart in the middle of a delay changes nothing; what fell due meanwhile comes at once', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', body: 'ten', properties: { DELAY: '3' } })
    await broker.send({ topic: 'T', body: 'thirty', properties: { DELAY: '4' } })
    await broker.clock.advance(4_000)
    await broker.stop()
    await broker.clock.advance(20_000)
    await broker.start()
    await arrived('T', 1)
    expect(await bodies('T')).toEqual(['ten'])
    await broker.clock.advance(5_999)
    expect(await bodies('T')).toEqual(['ten'])
    await broker.clock.advance(1)
    await arrived('T', 2)
  })

  test('delayOffset.json is as Java writes it, is answered to code 45, and nothing delivered comes again', async () => {
    broker = await BrokerDriver.start()
    for (const body of ['a', 'b']) await broker.send({ topic: 'T', body, properties: { DELAY: '1' } })
    await broker.clock.advance(1_000)
    await arrived('T', 2)
    await broker.stop()
    const path = join(broker.store, 'config', 'delayOffset.json')
    const text = readFileSync(path, 'utf8')
    expect(text).toMatch(/^\{\n\t"dataVersion":\{\n\t\t"counter":0,\n\t\t"stateVersion":0,\n\t\t"timestamp":\d+\n\t\},/)
    expect(text.replaceAll(/\s/g, '')).toContain('"offsetTable":{1:2}')
    await broker.start()
    expect((await broker.call(RequestCode.GET_ALL_DELAY_OFFSET, {})).body.toString()).toBe(text)
    await broker.clock.advance(2_000)
    expect(await bodies('T')).toEqual(['a', 'b'])
  })

  test('offsets are saved every flushDelayOffsetInterval', async () => {
    broker = await BrokerDriver.start({ flushDelayOffsetInterval: 3_000 })
    await broker.send({ topic: 'T', properties: { DELAY: '1' } })
    await broker.clock.advance(1_000)
    await arrived('T', 1)
    await broker.clock.advance(2_000)
    const saved = async (): Promise<boolean> => {
      const { code, body } = await broker.call(RequestCode.GET_ALL_DELAY_OFFSET, {})
      return code === 0 && body.toString().replaceAll(/\s/g, '').includes('"offsetTable":{1:1}')
    }
    await eventually(saved, 'the saved offset')
  })

  test('offsets outside the queue are brought into it', async () => {
    broker = await BrokerDriver.start()
    await broker.stop()
    const path = join(broker.store, 'config', 'delayOffset.json')
    writeFileSync(path, '{"dataVersion":{"counter":3,"stateVersion":0,"timestamp":1},"offsetTable":{1:77,2:-5}}')
    await broker.start()
    await broker.send({ topic: 'T', body: 'one', properties: { DELAY: '1' } })
    await broker.send({ topic: 'T', body: 'two', properties: { DELAY: '2' } })
    await broker.clock.advance(5_000)
    await arrived('T', 2)
  })

  test('messageDelayLevel sets how many levels there are and how long they are', async () => {
    broker = await BrokerDriver.start({ messageDelayLevel: '2s 1m' })
    await broker.send({ topic: 'T', body: 'two seconds', properties: { DELAY: '1' } })
    await broker.send({ topic: 'T', body: 'a minute', properties: { DELAY: '9' } })
    await broker.clock.advance(2_000)
    await arrived('T', 1)
    await broker.clock.advance(58_000)
    await arrived('T', 2)
  })

  test('a shorter list: messages of levels that are gone still arrive, none later than the list says', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', body: 'two hours', properties: { DELAY: '18' } })
    await broker.send({ topic: 'T', body: 'ten seconds', properties: { DELAY: '3' } })
    await broker.stop()
    await broker.start({ messageDelayLevel: '1s 5s 7s' })
    // noticed within a second, then one delay of the longest level there is
    await broker.clock.advance(8_000)
    await arrived('T', 2)
  })

  test('a clock set forward: what is due by the new time comes within a second', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', properties: { DELAY: '17' } })
    await broker.clock.advance(500)
    broker.clock.jump(3_600_000)
    await broker.clock.advance(1_000)
    await arrived('T', 1)
  })

  test('a clock set back: not early by the time that passed, and not late by the years it went back', async () => {
    broker = await BrokerDriver.start()
    await broker.send({ topic: 'T', body: 'before', properties: { DELAY: '3' } })
    await broker.clock.advance(4_000)
    broker.clock.jump(-31_536_000_000)
    await broker.send({ topic: 'T', body: 'after', properties: { DELAY: '3' } })
    await broker.clock.advance(5_999)
    expect(await bodies('T')).toEqual([])
    // noticed within a second, then one delay of the level
    await broker.clock.advance(6_000)
    await arrived('T', 2)
    expect(await bodies('T')).toEqual(['before', 'after'])
  })

  test('a list that cannot be read ends the start with a text that names the word', async () => {
    broker = new BrokerDriver()
    await expect(broker.start({ messageDelayLevel: '1s soon' })).rejects.toThrow(/messageDelayLevel: "soon"/)
  })
})
