import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConsumerFilterManager } from '../../src/broker/offset/consumer-filter-manager.js'
import { ConsumerOffsetManager } from '../../src/broker/offset/consumer-offset-manager.js'
import { SubscriptionGroupManager } from '../../src/broker/subscription/subscription-group-manager.js'
import { TopicConfigManager } from '../../src/broker/topic/topic-config-manager.js'
import { isJsonObject, type JsonValue, parseFastJson } from '../../src/common/index.js'
import { brokerParts } from '../support/broker-parts.js'
import { type GoldenStoreName, goldenDir, goldenStore } from '../support/golden.js'

/** The broker that wrote the files. */
const identity = {
  clusterName: 'GoldenCluster',
  brokerName: 'golden-a',
  brokerId: 0,
  address: '127.0.0.1:20911',
  haAddress: '127.0.0.1:20912',
}

const makers = {
  'topics.json': TopicConfigManager,
  'subscriptionGroup.json': SubscriptionGroupManager,
  'consumerOffset.json': ConsumerOffsetManager,
  'consumerFilter.json': ConsumerFilterManager,
} as const

type FileName = keyof typeof makers

const files = Object.keys(makers) as FileName[]
const stores: GoldenStoreName[] = ['clean', 'crashed', 'rolled', 'trimmed']
const sources: [string, () => string][] = [
  ['config', () => goldenDir('config')],
  ...stores.map(name => [name, () => storeConfig(name)] as [string, () => string]),
]

const unpacked = new Map<GoldenStoreName, string>()

/** The config folder of a recorded store, unpacked once: read only. */
function storeConfig(name: GoldenStoreName): string {
  const known = unpacked.get(name)
  if (known !== undefined) return known
  const folder = join(goldenStore(name), 'config')
  unpacked.set(name, folder)
  return folder
}

/** A broker's folder with a copy of the recorded files. */
function copied(from: string) {
  const parts = brokerParts({ timerWheelEnable: false })
  const folder = join(parts.settings.storePathRootDir, 'config')
  cpSync(from, folder, { recursive: true })
  return { parts: { ...parts, identity }, folder }
}

/** The file as data: arrays that stand for sets in one order. */
function meaning(path: string): JsonValue {
  return sorted(parseFastJson(readFileSync(path)))
}

/** What is left of a file when a broker has read it: consumers of filters are gone until they come back. */
function afterLoading(path: string): JsonValue {
  return JSON.parse(JSON.stringify(meaning(path)), (_key, value) =>
    value?.deadTime === 0 ? { ...value, dead: true, deadTime: value.bornTime } : value,
  )
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.every(item => typeof item === 'string') ? value.toSorted() : value.map(sorted)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)]))
}

describe.each(sources)('the files of %s', (_name, folderOf) => {
  it.each(files)('%s is read, and written with the same meaning and keys', async name => {
    const from = folderOf()
    expect(existsSync(join(from, name))).toBe(true)
    const { parts, folder } = copied(from)
    const manager = new makers[name](parts)
    manager.load()
    await manager.persist()
    expect(meaning(join(folder, name))).toEqual(afterLoading(join(from, name)))
    expect(meaning(join(folder, `${name}.bak`))).toEqual(meaning(join(from, name)))
    await manager.stop()
  })

  it.each(files)('%s is read from its .bak when it is torn', async name => {
    const { parts, folder } = copied(folderOf())
    const path = join(folder, name)
    // a file that was written once has no .bak
    if (!existsSync(`${path}.bak`)) cpSync(path, `${path}.bak`)
    const expected = afterLoading(`${path}.bak`)
    writeFileSync(path, readFileSync(path).subarray(0, -20))
    const manager = new makers[name](parts)
    manager.load()
    await manager.persist()
    expect(meaning(path)).toEqual(expected)
    await manager.stop()
  })
})
