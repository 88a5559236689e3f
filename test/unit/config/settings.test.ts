import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { brokerSettings, loadBrokerSettings } from '../../../src/config/index.js'
import { readProperties } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { goldenHost } from './fixtures.js'

function fromFile(text: string) {
  const path = join(mkdtempSync(join(tmpdir(), 'cometmq-config-')), 'broker.conf')
  writeFileSync(path, text)
  const { host, printed } = goldenHost()
  const loaded = loadBrokerSettings(['-c', path], host)
  if (loaded.kind !== 'start') throw new Error(printed.err)
  return { path, settings: loaded.settings, read: (name = path) => readFileSync(name, 'utf8') }
}

describe('an update', () => {
  test('changes the live values, the file and the version, and keeps the old file', async () => {
    const text = '# mine\nfileReservedTime = 48\n'
    const { path, settings, read } = fromFile(text)
    const values = settings.values
    const outcome = await settings.update('fileReservedTime=47\nmaxMessageSize=1000\nregionId=DefaultRegion\n')
    expect(outcome).toEqual({
      changed: ['fileReservedTime', 'maxMessageSize'],
      unknown: [],
      noEffect: [],
      text: 'fileReservedTime: 48 -> 47; maxMessageSize: 4194304 -> 1000',
    })
    expect(values).toMatchObject({ fileReservedTime: 47, maxMessageSize: 1000 })
    expect(read()).toBe('# mine\nfileReservedTime=47\nmaxMessageSize=1000\n')
    expect(read(`${path}.bak`)).toBe(text)
    expect(existsSync(`${path}.tmp`)).toBe(false)
    expect(readProperties(settings.asProperties()).get('fileReservedTime')).toBe('47')
  })

  test('counts, with the time', async () => {
    const clock = new ManualClock(5000)
    const settings = brokerSettings.create({}, clock)
    expect(settings.dataVersion()).toEqual({ counter: 0, stateVersion: 0, timestamp: 5000 })
    await clock.advance(10)
    await settings.update('fileReservedTime=1')
    expect(settings.dataVersion()).toEqual({ counter: 1, stateVersion: 0, timestamp: 5010 })
  })

  test('tells those who asked', async () => {
    const settings = brokerSettings.create({ brokerPermission: 6 })
    const changes: unknown[] = []
    const stop = settings.onChange(['brokerPermission'], change => changes.push(change))
    await settings.update('brokerPermission=4\nfileReservedTime=1')
    await settings.update('brokerPermission=4')
    stop()
    await settings.update('brokerPermission=2')
    expect(changes).toEqual([{ key: 'brokerPermission', value: 4, previous: 6 }])
  })

  test.each([
    ['listenPort=1', 'ERR_SETTING_FIXED', /^listenPort cannot change at run time; start with it$/],
    ['maxMessageSize=big', 'ERR_SETTING_INVALID', /^maxMessageSize=big: must be a whole number from 1 to/],
    ['brokerPermission=9', 'ERR_SETTING_INVALID', /must be a whole number from 0 to 7$/],
    ['inSyncReplicas=2', 'ERR_SETTING_INVALID', /replication is not supported yet/],
    ['configBlackList=', 'ERR_SETTING_BLOCKED', /^Can not update config in black list\.$/],
    ['brokerConfigPath=/x', 'ERR_SETTING_BLOCKED', /^Can not update config in black list\.$/],
    ['rocketmqHome=/x', 'ERR_SETTING_BLOCKED', /black list/],
  ])('%s is refused, and nothing beside it is done', async (text, code, message) => {
    const settings = brokerSettings.create()
    const before = settings.asProperties()
    const update = settings.update(`fileReservedTime=1\n${text}\ndeleteWhen=05`)
    await expect(update).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(settings.asProperties()).toBe(before)
    expect(settings.dataVersion().counter).toBe(0)
  })

  test('keys that operators put on the black list', async () => {
    const settings = brokerSettings.create({ configBlackList: 'a; fileReservedTime' })
    await expect(settings.update('fileReservedTime=1')).rejects.toMatchObject({ code: 'ERR_SETTING_BLOCKED' })
  })

  test('a fixed key with the value it has is no change', async () => {
    expect(await brokerSettings.create().update('listenPort=10911')).toMatchObject({
      changed: [],
      text: 'nothing to change',
    })
  })

  test('unknown keys are left alone, those of the file are changed', async () => {
    const { settings, read } = fromFile('mine=1\n')
    const outcome = await settings.update('mine=2\nyours=3\nfileReservedTimes=4')
    expect(outcome).toMatchObject({ changed: ['mine'], unknown: ['yours', 'fileReservedTimes'] })
    expect(outcome.text).toContain('unknown key fileReservedTimes is ignored (did you mean fileReservedTime?)')
    expect(read()).toBe('mine=2\n')
    expect(settings.asProperties()).not.toContain('yours')
  })

  test('planned and ineffective keys are kept, and said to have no effect', async () => {
    const { settings, read } = fromFile('')
    const outcome = await settings.update('slaveReadEnable=true\nserverWorkerThreads=4')
    expect(outcome.noEffect).toEqual(['slaveReadEnable', 'serverWorkerThreads'])
    expect(outcome.text).toMatch(
      /^slaveReadEnable: false -> true \(no effect: not supported yet\); serverWorkerThreads: 8 -> 4/,
    )
    expect(read()).toBe('slaveReadEnable=true\nserverWorkerThreads=4\n')
  })

  test('that cannot be saved changes nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cometmq-config-'))
    writeFileSync(join(folder, 'store'), 'a file where the folder should be')
    const { host } = goldenHost()
    const loaded = loadBrokerSettings(['--set', `storePathRootDir=${folder}/store`], host)
    if (loaded.kind !== 'start') throw new Error('did not start')
    const update = loaded.settings.update('fileReservedTime=1')
    await expect(update).rejects.toMatchObject({ code: 'ERR_SETTINGS_NOT_SAVED' })
    expect(loaded.settings.values.fileReservedTime).toBe(72)
    expect(loaded.settings.dataVersion().counter).toBe(0)
  })

  test('updates at the same time all arrive in the file', async () => {
    const { settings, read } = fromFile('')
    const keys = ['fileReservedTime', 'maxMessageSize', 'maxMsgsNumBatch', 'defaultQueryMaxNum', 'brokerPermission']
    await Promise.all(keys.map(key => settings.update(new Map([[key, '2']]))))
    expect([...readProperties(read())]).toEqual(keys.map(key => [key, '2']))
    expect(settings.dataVersion().counter).toBe(5)
  })

  test('without -c goes below the store root', async () => {
    const root = mkdtempSync(join(tmpdir(), 'cometmq-config-'))
    const { host } = goldenHost()
    const loaded = loadBrokerSettings(['--set', `storePathRootDir=${root}`], host)
    if (loaded.kind !== 'start') throw new Error('did not start')
    await loaded.settings.update('fileReservedTime=1')
    expect(readFileSync(join(root, 'config/broker.properties'), 'utf8')).toBe('fileReservedTime=1\n')
  })
})

test('embedded settings are checked like any other', () => {
  expect(brokerSettings.create({ listenPort: 0 }).values.listenPort).toBe(0)
  expect(() => brokerSettings.create({ listenPort: -1 })).toThrow(/given: listenPort=-1: must be/)
})

test('our own keys are listed once somebody sets them', () => {
  expect(brokerSettings.create().asProperties()).not.toContain('logLevel')
  expect(brokerSettings.create({ logLevel: 'debug' }).asProperties()).toContain('logLevel=debug\n')
})
