import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConsumerFilterManager } from '../../src/broker/offset/consumer-filter-manager.js'
import { ConsumerOffsetManager } from '../../src/broker/offset/consumer-offset-manager.js'
import { messageFilter } from '../../src/broker/pull/message-filters.js'
import { buildSubscriptionData, decodeProperties, locateRecord } from '../../src/common/index.js'
import type { MessageStore, QueueUnit } from '../../src/store/index.js'
import { javaHash } from '../../src/util/index.js'
import { brokerParts } from '../support/broker-parts.js'
import { goldenStore } from '../support/golden.js'
import { runMqstore } from '../support/run-mqstore.js'
import { createStore, message } from '../support/store.js'

const TOPIC = 'ExtTopic'
const QUEUES = [0, 1]
const light = { enableLmq: true, enableMultiDispatch: true }

function filtersOf(rootDir: string): ConsumerFilterManager {
  const parts = brokerParts({ storePathRootDir: rootDir, enableCalcFilterBitMap: true })
  const filters = new ConsumerFilterManager(parts)
  filters.load()
  return filters
}

/** A store of the Java broker with extensions, filter bits and light queues. */
async function opened(rootDir: string, filters = filtersOf(rootDir)): Promise<MessageStore> {
  const store = createStore({
    rootDir,
    settings: { enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 1000, ...light },
    bitMapOf: record => filters.bitMapOf(record),
  })
  await store.start()
  onTestFinished(() => store.shutdown())
  return store
}

const unitsOf = (store: MessageStore, topic: string, queueId: number): Promise<QueueUnit[]> =>
  store.queries.units(topic, queueId, 0, 1000)

async function propertiesOf(store: MessageStore, { physicalOffset }: QueueUnit): Promise<Map<string, string>> {
  const record = (await store.queries.recordAt(physicalOffset))!
  const { propertiesStart, propertiesEnd } = locateRecord(record)
  return decodeProperties(record.toString('utf8', propertiesStart, propertiesEnd))
}

test('every extension says what its record does, with the bits that are worked out here', async () => {
  const rootDir = goldenStore('extended')
  const filters = filtersOf(rootDir)
  const store = await opened(rootDir, filters)
  expect(store.recovery?.damages).toEqual([])
  let count = 0
  for (const queueId of QUEUES) {
    for (const unit of await unitsOf(store, TOPIC, queueId)) {
      const record = (await store.queries.recordAt(unit.physicalOffset))!
      const { propertiesStart, propertiesEnd } = locateRecord(record)
      const properties = decodeProperties(record.toString('utf8', propertiesStart, propertiesEnd))
      expect(unit.tagsCode).toBe(javaHash(properties.get('TAGS')!))
      expect(unit.extension?.storeTimestamp).toBe(await store.queries.storeTimeOf(unit.physicalOffset))
      // the first message came before any group
      if (properties.get('TAGS') === 'warm') continue
      const bits = filters.bitMapOf({ topic: { topic: TOPIC }, bytes: record, propertiesStart, propertiesEnd })
      expect(unit.extension?.bitMap).toEqual(bits)
      count++
    }
  }
  expect(count).toBe(120)
})

test('the groups of the Java broker are filtered by its bits: nothing else is read', async () => {
  const rootDir = goldenStore('extended')
  const filters = filtersOf(rootDir)
  const store = await opened(rootDir, filters)
  const subscription = buildSubscriptionData({ topic: TOPIC, expression: 'x', expressionType: 'SQL92', subVersion: 1 })
  const filterData = filters.get(TOPIC, 'ExtGroupA')
  const filter = messageFilter({ subscription, filterData }, 0, filters.bloomFilter)!
  let [taken, looked] = [0, 0]
  for (const queueId of QUEUES) {
    for (let offset = 0; offset < store.maxOffset(TOPIC, queueId); ) {
      const matchesRecord = (bytes: Buffer, start: number, end: number) => {
        looked++
        return filter.matchesRecord!(bytes, start, end)
      }
      const counting = { ...filter, matchesRecord }
      const request = { group: 'g', topic: TOPIC, queueId, offset, maxMsgNums: 32, filter: counting }
      const found = (await store.getMessage(request))!
      taken += found.messageCount
      found.release()
      offset = found.nextBeginOffset
    }
  }
  // 60 match, and the message from before the group has no bits
  expect([taken, looked]).toEqual([60, 61])
})

test('light queues hold the messages that name them, under the numbers that the records say', async () => {
  const store = await opened(goldenStore('extended'))
  const expected = { '%LMQ%all': 40, '%LMQ%even': 20 }
  for (const [name, count] of Object.entries(expected)) {
    const units = await unitsOf(store, name, 0)
    expect(units.map(unit => unit.queueOffset)).toEqual(Array.from({ length: count }, (_, i) => i))
    for (const unit of units) {
      const properties = await propertiesOf(store, unit)
      const at = properties.get('INNER_MULTI_DISPATCH')!.split(',').indexOf(name)
      expect(properties.get('INNER_MULTI_QUEUE_OFFSET')!.split(',')[at]).toBe(String(unit.queueOffset))
    }
  }
  const names = 'TAGS\x01t\x02INNER_MULTI_DISPATCH\x01%LMQ%even\x02'
  store.append(message({ topic: TOPIC, properties: names }))
  expect(store.maxOffset('%LMQ%even', 0)).toBe(21)
})

test('queues built again from the log have the bytes of the Java broker, extensions and light queues too', async () => {
  const rootDir = goldenStore('extended')
  const before = contentsOf(rootDir)
  for (const folder of ['consumequeue', 'consumequeue_ext']) rmSync(join(rootDir, folder), { recursive: true })
  const store = await opened(rootDir)
  await store.queues.writeOut()
  const after = contentsOf(rootDir)
  expect([...after.keys()]).toEqual([...before.keys()])
  for (const [path, bytes] of before) {
    // the first message came before the groups: here they are known, so it gets bits, and what follows moves
    if (path.includes('ExtTopic/0')) continue
    expect([path, after.get(path)!.equals(bytes)]).toEqual([path, true])
  }
})

function contentsOf(rootDir: string): Map<string, Buffer> {
  const names = ['consumequeue', 'consumequeue_ext'].flatMap(folder =>
    readdirSync(join(rootDir, folder), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name)),
  )
  return new Map(names.sort().map(path => [path.slice(rootDir.length), readFileSync(path)]))
}

test('mqstore finds nothing wrong', async () => {
  const { exitCode, stdout } = await runMqstore('verify', goldenStore('extended'))
  expect([exitCode, stdout]).toEqual([0, expect.not.stringMatching(/damaged/)])
})

test('offsets of a broker with light queues are read from its own file', () => {
  const rootDir = goldenStore('extended')
  const offsets = new ConsumerOffsetManager(brokerParts({ storePathRootDir: rootDir, enableLmq: true }))
  offsets.load()
  expect([...offsets.queryOffsets('ExtGroupA', TOPIC)!.keys()].sort()).toEqual(QUEUES)
})
