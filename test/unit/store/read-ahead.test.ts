import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import { type Disk, systemDisk } from '../../../src/util/index.js'
import { nativeMemory } from '../../../src/util/native/mmap.js'
import { coldDisk } from '../../support/cold-disk.js'
import { createStore, message } from '../../support/store.js'

/** Whether the kernel may read ahead in the commit log. */

/** A disk of which nothing is in memory, and what its files were told. */
function listeningDisk() {
  const told: string[] = []
  const listen = <T extends { setReadAhead?(isOn: boolean): void }>(kind: string, one: T): T =>
    Object.assign(one, { setReadAhead: (isOn: boolean) => void told.push(`${kind} ${isOn}`) })
  const disk: Disk = {
    ...coldDisk,
    map: async (path, options) => listen('mapping', await coldDisk.map(path, options)),
    mapSync: (path, options) => listen('mapping', coldDisk.mapSync(path, options)),
    open: async (path, options) => listen('file', await coldDisk.open(path, options)),
  }
  return { disk, told: () => told.splice(0) }
}

async function started(settings: Partial<StoreSettings>, disk: Disk): Promise<MessageStore> {
  const store = createStore({ settings, disk, memoryBytes: 100 })
  await store.start()
  onTestFinished(() => store.shutdown())
  await store.log.files.settled()
  store.append(message())
  await store.log.files.settled()
  return store
}

async function readCold(store: MessageStore): Promise<void> {
  const request = { group: 'g', topic: 'TopicA', queueId: 0, offset: 0, maxMsgNums: 1 }
  const result = (await store.getMessage(request))!
  expect(result.messageCount).toBe(1)
  result.release()
}

test('by default nothing is told', async () => {
  const { disk, told } = listeningDisk()
  await readCold(await started({}, disk))
  expect(told()).toEqual([])
})

test('with dataReadAheadEnable=false each file is told when it is opened', async () => {
  const { disk, told } = listeningDisk()
  const store = await started({ dataReadAheadEnable: false, accessMessageInMemoryMaxRatio: 0 }, disk)
  // the file written to and the one made ahead
  expect(told()).toEqual(['mapping false', 'mapping false'])
  await readCold(store)
  expect(told()).toEqual(['file false'])
})

test('all files there are can be told', async () => {
  const { disk, told } = listeningDisk()
  const store = await started({ accessMessageInMemoryMaxRatio: 0 }, disk)
  await readCold(store)
  store.log.files.setReadAhead(false)
  await readCold(store)
  expect(told().sort()).toEqual(['file false', 'mapping false', 'mapping false'])
  store.log.files.setReadAhead(true)
  await readCold(store)
  expect(told().sort()).toEqual(['file true', 'mapping true', 'mapping true'])
})

test.runIf(nativeMemory() !== undefined)('the kernel has it', async () => {
  const store = await started({}, systemDisk)
  const { path } = store.log.files.last!
  const isRandom = (): boolean => {
    const areas = readFileSync('/proc/self/smaps', 'latin1').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)
    const flags = /^VmFlags:(.*)$/m.exec(areas.find(area => area.includes(path)) ?? '')
    expect(flags).not.toBeNull()
    return flags![1]!.split(' ').includes('rr')
  }
  expect(isRandom()).toBe(false)
  store.log.files.setReadAhead(false)
  expect(isRandom()).toBe(true)
  store.log.files.setReadAhead(true)
  expect(isRandom()).toBe(false)
})
