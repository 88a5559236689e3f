import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { MessageStore, StoreSettings } from '../../../src/store/index.js'
import { foldersFor } from '../../../src/store/segment-folders.js'
import { type Disk, type DiskUsage, MQError, systemDisk } from '../../../src/util/index.js'
import { runMqstore } from '../../support/run-mqstore.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

const SEGMENT = 4096
const BODY = Buffer.alloc(1800, 7)

interface Place {
  rootDir: string
  /** Of the log, in the order of their names. */
  disks: string[]
}

function place(): Place {
  const rootDir = scratchFolder()
  return { rootDir, disks: ['disk1', 'disk2', 'disk3'].map(name => join(rootDir, name)) }
}

function settingsOf({ disks }: Place, more: Partial<StoreSettings> = {}): Partial<StoreSettings> {
  return { mappedFileSizeCommitLog: SEGMENT, storePathCommitLog: disks.join(','), ...more }
}

async function opened(at: Place, more: Partial<StoreSettings> = {}, disk: Disk = systemDisk): Promise<MessageStore> {
  const store = createStore({ rootDir: at.rootDir, settings: settingsOf(at, more), disk })
  await store.start()
  return store
}

/** Two records to a file. */
async function fill(store: MessageStore, files: number): Promise<void> {
  for (let i = 0; i < files * 2; i++) {
    const properties = `KEYS\x01k${store.maxOffset('TopicA', 0)}\x02`
    expect(store.append(message({ body: BODY, properties }))).toMatchObject({ status: 'PUT_OK' })
    if (i % 2 === 1) await store.log.files.settled()
  }
}

/** Numbers of the files in a folder. */
function numbers(folder: string): number[] {
  return readdirSync(folder)
    .map(name => Number(name) / SEGMENT)
    .sort((a, b) => a - b)
}

async function offsets(store: MessageStore): Promise<number[]> {
  const found: number[] = []
  for (let offset = store.minOffset('TopicA', 0); ; ) {
    const result = (await store.getMessage({ group: 'g', topic: 'TopicA', queueId: 0, offset, maxMsgNums: 32 }))!
    for (const slice of result.slices) {
      for (let at = 0; at < slice.length; at += slice.readInt32BE(at)) found.push(Number(slice.readBigInt64BE(at + 20)))
    }
    result.release()
    if (result.nextBeginOffset === offset) return found
    offset = result.nextBeginOffset
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A disk of which single folders are full, or refuse to make files. */
function disks(usage: Record<string, number>, broken: ReadonlySet<string> = new Set()): Disk {
  const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
  const check = (path: string, create: boolean): void => {
    if (create && broken.has(folderOf(path))) throw new MQError('EIO', `open: EIO, ${path}`)
  }
  return {
    ...systemDisk,
    usage: (folder): DiskUsage => {
      const percent = usage[folder] ?? 10
      return { totalBytes: 1000, usedBytes: percent * 10, usableBytes: 1000 - percent * 10 }
    },
    map: async (path, options) => {
      check(path, options.create)
      return systemDisk.map(path, options)
    },
    mapSync: (path, options) => {
      check(path, options.create)
      return systemDisk.mapSync(path, options)
    },
  }
}

test('the folder of a file is the one that Java takes', () => {
  const options = { folders: ['/c', '/a', '/b'], readOnlyFolders: [], fileSize: 10, isFull: () => false }
  const first = (offset: number, more: Partial<Parameters<typeof foldersFor>[1]> = {}): string | undefined =>
    foldersFor(offset, { ...options, ...more })[0]
  expect([0, 10, 20, 30, 40].map(offset => first(offset))).toEqual(['/a', '/b', '/c', '/a', '/b'])
  // two left: number modulo 2
  const readOnlyFolders = ['/b', '/elsewhere']
  expect([0, 10, 20, 30].map(offset => first(offset, { readOnlyFolders }))).toEqual(['/a', '/c', '/a', '/c'])
  const isFull = (folder: string): boolean => folder === '/a'
  expect([0, 10, 20, 30].map(offset => first(offset, { isFull }))).toEqual(['/b', '/c', '/b', '/c'])
  // all full: as if none were, but never a read-only one
  expect([0, 10, 20].map(offset => first(offset, { isFull: () => true, readOnlyFolders }))).toEqual(['/a', '/c', '/a'])
  expect(foldersFor(0, { ...options, isFull })).toEqual(['/b', '/c', '/a'])
  expect(foldersFor(0, { ...options, readOnlyFolders: ['/a', '/b', '/c'] })).toEqual([])
})

test('files go over the folders by turns; a start, clean or not, reads them all', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 7)
  expect(at.disks.map(numbers)).toEqual([
    [0, 3, 6],
    [1, 4, 7],
    [2, 5],
  ])
  expect(await offsets(store)).toEqual(upTo(14))
  const image = join(scratchFolder(), 'image')
  cpSync(at.rootDir, image, { recursive: true })
  await store.shutdown()
  for (const rootDir of [at.rootDir, image]) {
    const there = { rootDir, disks: ['disk1', 'disk2', 'disk3'].map(name => join(rootDir, name)) }
    const again = await opened(there)
    expect(again.recovery).toMatchObject({ isAfterCrash: rootDir === image, damageCount: 0 })
    expect(await offsets(again)).toEqual(upTo(14))
    await fill(again, 2)
    expect(await offsets(again)).toEqual(upTo(18))
    const found = await again.queries.queryMessage({ topic: 'TopicA', key: 'k5', maxNum: 9, begin: 0, end: 2 ** 50 })
    expect(found.records.length).toBe(1)
    await again.shutdown()
  }
  const verified = await runMqstore('verify', at.rootDir, '--json', '--commitlog', at.disks.join(','))
  expect([verified.exitCode, verified.lines[0]?.damages]).toEqual([0, []])
})

test('a nearly full disk is passed over, a broken one too; what it holds is still read', async () => {
  const at = place()
  const usage: Record<string, number> = { [at.disks[1]!]: 86 }
  const broken = new Set<string>()
  const store = await opened(at, {}, disks(usage, broken))
  onTestFinished(() => store.shutdown())
  await fill(store, 3)
  expect([existsSync(at.disks[1]!) ? numbers(at.disks[1]!) : [], numbers(at.disks[0]!)]).toEqual([[], [0, 2]])
  usage[at.disks[1]!] = 85
  await fill(store, 3)
  expect(numbers(at.disks[1]!)).toEqual([4])
  broken.add(at.disks[0]!).add(at.disks[1]!)
  await fill(store, 6)
  expect(at.disks.flatMap(numbers).sort((a, b) => a - b)).toEqual(upTo(12))
  expect(numbers(at.disks[2]!).slice(-5)).toEqual([7, 8, 9, 10, 11])
  broken.add(at.disks[2]!)
  store.append(message({ body: BODY }))
  store.append(message({ body: BODY }))
  expect(store.append(message({ body: BODY })).status).toBe('CREATE_MAPPED_FILE_FAILED')
  expect((await offsets(store)).length).toBeGreaterThanOrEqual(24)
})

test('the emptiest disk decides whether messages are taken', async () => {
  const at = place()
  const usage = Object.fromEntries(at.disks.map(folder => [folder, 95]))
  const store = await opened(at, { cleanFileForciblyEnable: false }, disks(usage))
  onTestFinished(() => store.shutdown())
  await store.retention.run()
  expect(store.append(message()).status).toBe('SERVICE_NOT_AVAILABLE')
  usage[at.disks[2]!] = 50
  await store.retention.run()
  expect(store.append(message()).status).toBe('PUT_OK')
  const info = store.getRuntimeInfo()
  expect(info.get('commitLogDiskRatio')).toBe('0.5')
  expect(at.disks.map(folder => info.get(`commitLogDiskRatio_${folder}`))).toEqual(['0.95', '0.95', '0.5'])
})

test('the oldest file goes first, wherever it is; one that cannot be deleted stays in the log', async () => {
  const at = place()
  let isBroken = true
  const failing: Disk = {
    ...disks({}),
    remove(path) {
      if (isBroken && path === join(at.disks[1]!, '00000000000000004096')) throw new MQError('EROFS', `unlink ${path}`)
      systemDisk.remove(path)
    },
  }
  const store = await opened(at, { fileReservedTime: 0, deleteWhen: '' }, failing)
  onTestFinished(() => store.shutdown())
  await fill(store, 6)
  await store.executeDeleteFilesManually()
  expect([store.log.minOffset, numbers(at.disks[0]!)]).toEqual([SEGMENT, [3, 6].slice(0, numbers(at.disks[0]!).length)])
  expect(await offsets(store)).toEqual(upTo(12).slice(2))
  isBroken = false
  await store.executeDeleteFilesManually()
  expect(store.log.minOffset).toBe(5 * SEGMENT)
  expect(store.log.files.files.length).toBe(1)
})

test('a read-only folder is read, and gets no file', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 5)
  await store.shutdown()
  const old = join(at.rootDir, 'old')
  renameSync(at.disks[0]!, old)
  const reduced = { ...at, disks: at.disks.slice(1) }
  const again = await opened(reduced, { readOnlyCommitLogStorePaths: ` ${old}/ , ${at.disks[2]}` })
  onTestFinished(() => again.shutdown())
  await fill(again, 4)
  expect(await offsets(again)).toEqual(upTo(18))
  expect([numbers(old), numbers(at.disks[2]!)]).toEqual([[0, 3], [2, 5].slice(0, numbers(at.disks[2]!).length)])
  await again.shutdown()
  const none = opened(reduced, { readOnlyCommitLogStorePaths: at.disks.join(',') })
  await expect(none).rejects.toMatchObject({ code: 'ERR_NO_FOLDER' })
})

test('old files on a disk mounted for reading only are served', async ctx => {
  const at = place()
  const store = await opened(at)
  await fill(store, 5)
  await store.shutdown()
  const disk1 = at.disks[0]!
  const mount = (...args: string[]): void => void execFileSync('mount', args, { stdio: 'ignore' })
  try {
    mount('--bind', disk1, disk1)
    mount('-o', 'remount,bind,ro', disk1)
  } catch {
    return ctx.skip('only root may mount a folder for reading only')
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk1]))
  for (const memoryBytes of [1 << 30, 100]) {
    const again = createStore({
      rootDir: at.rootDir,
      settings: settingsOf(at, { readOnlyCommitLogStorePaths: disk1 }),
      memoryBytes,
    })
    await again.start()
    expect(await offsets(again)).toEqual(upTo(again.maxOffset('TopicA', 0)))
    await fill(again, 1)
    await again.shutdown()
  }
  expect(numbers(disk1)).toEqual([0, 3])
  // without the others the log ends there, and could not go on
  for (const folder of at.disks.slice(1)) rmSync(folder, { recursive: true })
  await expect(opened({ ...at, disks: [disk1] })).rejects.toMatchObject({
    code: 'EROFS',
    message: expect.stringContaining('mount it for writing') as string,
  })
})

test('a folder whose disk is not mounted ends the start; without it in the list the rest is served', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 6)
  await store.shutdown()
  const [disk1, disk2] = at.disks as [string, string]
  for (const folder of [disk2, at.disks[2]!]) {
    const elsewhere = `${folder}-elsewhere`
    renameSync(folder, elsewhere)
    await expect(opened(at)).rejects.toMatchObject({
      code: 'ERR_STORE_INCOMPLETE',
      message: expect.stringContaining(`${folder} is empty: is its disk not mounted?`) as string,
    })
    rmSync(folder, { recursive: true, force: true })
    renameSync(elsewhere, folder)
  }
  const whole = await opened(at)
  expect(await offsets(whole)).toEqual(upTo(12))
  await whole.shutdown()

  rmSync(disk2, { recursive: true })
  const reduced = await opened({ ...at, disks: [disk1, at.disks[2]!] })
  expect(reduced.recovery!.damages.map(({ kind, physicalOffset, length }) => [kind, physicalOffset, length])).toEqual(
    expect.arrayContaining([['record', SEGMENT, SEGMENT]]),
  )
  expect(await offsets(reduced)).toEqual([0, 1, 4, 5, 6, 7, 10, 11])
  await reduced.shutdown()
  // a new disk under the old name: what is gone is known to be gone
  mkdirSync(disk2)
  const renewed = await opened(at)
  await fill(renewed, 3)
  expect(await offsets(renewed)).toEqual([0, 1, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17])
  await renewed.shutdown()
})

test('a file that is there twice ends the start', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 3)
  await store.shutdown()
  const name = '00000000000000004096'
  writeFileSync(join(at.disks[2]!, name), readFileSync(join(at.disks[1]!, name)))
  await expect(opened(at)).rejects.toMatchObject({ code: 'ERR_FILE_TWICE' })
  const { exitCode, stderr } = await runMqstore('summary', at.rootDir, '--commitlog', at.disks.join(','))
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('are the same part of the log') as string])
})

test('a file that was made ahead and not used is no second one', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 3)
  await store.shutdown()
  for (const [number, folder] of [
    [0, 1],
    [2, 0],
  ] as const) {
    writeFileSync(join(at.disks[folder]!, String(number * SEGMENT).padStart(20, '0')), Buffer.alloc(SEGMENT))
  }
  const again = await opened(at)
  expect(at.disks.map(numbers)).toEqual([[0, 3].slice(0, numbers(at.disks[0]!).length), [1], [2]])
  expect(await offsets(again)).toEqual(upTo(6))
  await again.shutdown()
})

test('damage in one folder costs its records alone', async () => {
  const at = place()
  const store = await opened(at)
  await fill(store, 6)
  const image = join(scratchFolder(), 'image')
  cpSync(at.rootDir, image, { recursive: true })
  await store.shutdown()
  const there = { rootDir: image, disks: ['disk1', 'disk2', 'disk3'].map(name => join(image, name)) }
  const path = join(there.disks[1]!, '00000000000000004096')
  const bytes = readFileSync(path)
  bytes[300]! ^= 1
  writeFileSync(path, bytes)
  // the last file is cut in the middle of its second record
  const last = join(there.disks[2]!, '00000000000000020480')
  const cut = readFileSync(last).fill(0, 3000)
  const length = cut.readInt32BE(0)
  writeFileSync(last, cut)
  const again = await opened(there)
  expect(again.recovery).toMatchObject({ isAfterCrash: true, endOffset: 5 * SEGMENT + length })
  expect(await offsets(again)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 9, 10])
  await fill(again, 3)
  expect((await offsets(again)).length).toBe(16)
  await again.shutdown()
})
