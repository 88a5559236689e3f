import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  BloomFilter,
  dataVersionFromJson,
  type JsonValue,
  parseFastJson,
  readObject,
  SqlFilter,
  stringifyFastJson,
  subscriptionGroupConfigFromJson,
  topicConfigFromJson,
} from '../../src/common/index.js'
import { goldenDir } from '../support/golden.js'

const files = [
  'consumerFilter.json',
  'consumerOffset.json',
  'consumerOrderInfo.json',
  'delayOffset.json',
  'kvConfig.json',
  'messageRequestMode.json',
  'subscriptionGroup.json',
  'timermetrics',
  'topics.json',
  'transactionMetrics',
]

const read = (name: string): string => readFileSync(join(goldenDir('config'), name), 'utf8')

describe('files that Java keeps', () => {
  test.each(files)('%s reads, and means the same when written again', name => {
    const value = parseFastJson(read(name))
    expect(Object.keys(readObject(value)).length).toBeGreaterThan(0)
    for (const options of [{}, { pretty: true }, { ascii: true }]) {
      expect(parseFastJson(stringifyFastJson(value, options))).toEqual(value)
    }
  })

  test('the lines of a pretty file are those of Java, in another order', () => {
    // topics.json has no integer keys and no lists, which Java breaks into lines in its own way
    const lines = (text: string): string[] => text.split('\n').map(line => line.replace(/,$/, '')).sort()
    const text = read('topics.json')
    expect(lines(stringifyFastJson(parseFastJson(text), { pretty: true }))).toEqual(lines(text))
  })

  test.each<[string, string, (json: JsonValue) => unknown]>([
    ['topics.json', 'topicConfigTable', topicConfigFromJson],
    ['subscriptionGroup.json', 'subscriptionGroupTable', subscriptionGroupConfigFromJson],
  ])('%s: no entry loses anything through our types', (name, table, fromJson) => {
    const file = readObject(parseFastJson(read(name)))
    expect(dataVersionFromJson(file.dataVersion)).toEqual(file.dataVersion)
    const entries = Object.values(readObject(file[table]))
    expect(entries.length).toBeGreaterThan(5)
    for (const entry of entries) expect(parseFastJson(stringifyFastJson(fromJson(entry)))).toEqual(entry)
  })

  test('consumerFilter.json: the expression compiles, the bits are ours', () => {
    const topics = readObject(readObject(parseFastJson(read('consumerFilter.json'))).filterDataByTopic)
    const groups = readObject(readObject(topics.StoreSql).groupFilterData)
    const data = readObject(groups.StoreGroupSql)
    const filter = new SqlFilter(String(data.expression))
    expect(filter.matches(name => ({ a: '2', region: 'us' })[name])).toBe(true)
    const bloom = new BloomFilter({ errorRate: 20, expectedConsumers: 32 })
    expect(bloom.generate('StoreGroupSql', 'StoreSql')).toEqual(data.bloomFilterData)
  })
})
