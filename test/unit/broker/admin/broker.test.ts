import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bytesText, runtimeText } from '../../../../src/broker/processors/admin/store-state.js'
import { RequestCode, readObject } from '../../../../src/common/index.js'
import { mqadminRuns } from '../../../support/mqadmin-golden.js'
import { adminBroker } from './admin-broker.js'

const { GET_BROKER_CONFIG, UPDATE_BROKER_CONFIG, GET_BROKER_RUNTIME_INFO, VIEW_BROKER_STATS_DATA } = RequestCode

test('the configuration is read, changed as a whole, and guarded', async () => {
  const broker = await adminBroker()
  const config = await broker.call(GET_BROKER_CONFIG)
  expect(config.body.toString()).toContain('\nfileReservedTime=72\n')
  expect(JSON.parse(config.extFields.version!)).toMatchObject({ counter: 0 })
  expect(await broker.call(UPDATE_BROKER_CONFIG, { body: 'fileReservedTime=48\n' })).toMatchObject({ code: 0 })
  expect((await broker.call(GET_BROKER_CONFIG)).body.toString()).toContain('\nfileReservedTime=48\n')
  expect(await broker.call(UPDATE_BROKER_CONFIG, { body: 'fileReservedTime=24\nbrokerConfigPath=/x' })).toMatchObject({
    code: 16,
    remark: 'Can not update config in black list.',
  })
  expect(await broker.call(UPDATE_BROKER_CONFIG, { body: 'fileReservedTime=many' })).toMatchObject({ code: 1 })
  expect((await broker.call(GET_BROKER_CONFIG)).body.toString()).toContain('\nfileReservedTime=48\n')
})

test('a changed permission is published', async () => {
  const broker = await adminBroker()
  const { counter } = broker.topics.dataVersion
  await broker.call(UPDATE_BROKER_CONFIG, { body: 'fileReservedTime=48' })
  expect(broker.topics.dataVersion.counter).toBe(counter)
  await broker.call(UPDATE_BROKER_CONFIG, { body: 'brokerPermission=4' })
  expect(broker.topics.dataVersion.counter).toBe(counter + 1)
})

test('the runtime info has every key of Java but the progress of delay levels', async () => {
  const broker = await adminBroker()
  broker.stats.start()
  broker.send('T', 0, 2)
  broker.stats.incTopicPut('T', 2, 500)
  broker.stats.incBrokerPut(2)
  const table = readObject((await broker.json(GET_BROKER_RUNTIME_INFO)).table)
  const java = [...mqadminRuns('brokerStatus')[0]!.stdout.matchAll(/^(\w+?)(?:_\/\S+?)? *: /gm)].map(match => match[1]!)
  const keys = new Set(Object.keys(table).map(key => key.replace(/_\/.*/, '')))
  expect(java.filter(key => !key.startsWith('scheduleMessageOffset') && !keys.has(key))).toEqual([])
  expect(table).toMatchObject({
    putMessageTimesTotal: '2',
    putMessageSizeTotal: '500',
    putMessageAverageSize: '250.0',
    msgPutTotalTodayNow: '2',
    commitLogMaxOffset: String(broker.store.log.maxOffset),
    earliestMessageTimeStamp: String(await broker.store.queries.storeTimeOf(0)),
    brokerVersionDesc: 'V5_3_3',
  })
})

test('counters are told by name and key', async () => {
  const broker = await adminBroker()
  broker.stats.start()
  broker.stats.incTopicPut('T', 30, 300)
  await broker.clock.advance(10_000)
  const extFields = { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' }
  expect((await broker.call(VIEW_BROKER_STATS_DATA, { extFields })).body.toString()).toBe(
    '{"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{"avgpt":0.0,"sum":0,"tps":0.0},' +
      '"statsMinute":{"avgpt":30.0,"sum":30,"tps":3.0}}',
  )
  const unknown = { statsName: 'TOPIC_PUT_NUMS', statsKey: 'X' }
  expect(await broker.call(VIEW_BROKER_STATS_DATA, { extFields: unknown })).toMatchObject({
    code: 1,
    remark: 'The stats <TOPIC_PUT_NUMS> <X> not exist',
  })
})

test('the offsets of delay levels are those of the file', async () => {
  const broker = await adminBroker()
  const code = RequestCode.GET_ALL_DELAY_OFFSET
  expect(await broker.call(code)).toMatchObject({ code: 1, remark: 'No delay offset in this broker' })
  const folder = join(broker.settings.storePathRootDir, 'config')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'delayOffset.json'), '{"offsetTable":{1:4}}')
  expect((await broker.call(code)).body.toString()).toBe('{"offsetTable":{1:4}}')
})

test('system topics include those of this broker', async () => {
  const broker = await adminBroker()
  const { topicList } = await broker.json(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER)
  expect(topicList).toEqual(expect.arrayContaining(['TBW102', 'SCHEDULE_TOPIC_XXXX', 'TestCluster', 'broker-a']))
})

test('manual cleaning is obeyed', async () => {
  const broker = await adminBroker()
  broker.send('T', 0)
  for (const code of [RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, RequestCode.DELETE_EXPIRED_COMMITLOG]) {
    expect(await broker.call(code)).toMatchObject({ code: 0 })
  }
  expect(broker.store.maxOffset('T', 0)).toBe(1)
})

test('sizes and times are written as Java writes them', () => {
  expect([0, 1023, 1024, 12_288, 1_048_576, 253_403_070_464].map(bytesText)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '12.0 KiB',
    '1.0 MiB',
    '236.0 GiB',
  ])
  expect(runtimeText(0)).toBe('[ 0 days, 0 hours, 0 minutes, 0 seconds ]')
  expect(runtimeText(1234 * 86_400_000 + 3_723_004)).toBe('[ 1,234 days, 1 hours, 2 minutes, 3 seconds ]')
})
