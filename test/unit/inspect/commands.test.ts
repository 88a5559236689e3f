import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readOnlyDisk } from '../../../src/inspect/read-only-disk.js'
import { copyOf, damage, writtenStore } from '../../support/inspected-store.js'
import { runMqstore } from '../../support/run-mqstore.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

let root: string
let positions: number[]

beforeAll(async () => {
  ;({ root, positions } = await writtenStore())
})

describe('texts for people', () => {
  test('summary', async () => {
    const { stdout } = await runMqstore('summary', root, '--count')
    expect(stdout).toMatch(/^state {7}stopped in order$/m)
    expect(stdout).toMatch(/^commit log {2}0 to \d+, 60 records$/m)
    expect(stdout).toMatch(/^TOPIC {3}QUEUE {2}MIN {2}MAX {2}MESSAGES\nTopic0 {6}0 {4}0 {3}30 {8}30\nTopic1/m)
  })

  test('log in a range; a range that begins within a record begins with the next', async () => {
    const { stdout } = await runMqstore('log', root, '--from', String(positions[3]! + 1), '--limit', '2')
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map(line => Number(line.split(' ')[0]))).toEqual([positions[4], positions[5]])
    expect(lines[0]).toMatch(/ {2}Topic0-0#2 {2}.* {2}uniqueKey=U4 {2}tags=Tag1 {2}keys=key4 shared$/)
    const some = await runMqstore('log', root, '--json', '--to', String(positions[5]), '--topic', 'Topic1')
    expect(some.lines.map(line => line.physicalOffset)).toEqual([positions[1], positions[3]])
  })

  test('queue with its records', async () => {
    const { stdout } = await runMqstore('queue', root, 'Topic1', '0', '--from', '2', '--limit', '1', '--records')
    expect(stdout).toMatch(
      /^Topic1-0: entries 0 to 29, 0 stale ones in front\n2 {2}\d+ \d+ bytes {2}tags code \d+ {2}.* {2}U5\n$/,
    )
  })

  test('index by key', async () => {
    const { stdout } = await runMqstore('index', root, '--key', 'shared', '--topic', 'Topic1')
    expect(stdout.trimEnd().split('\n').length).toBe(30)
    expect(await runMqstore('index', root, '--key', 'none', '--topic', 'Topic1')).toMatchObject({
      exitCode: 1,
      stderr: 'the index leads to no message of Topic1 with the key none\n',
    })
  })

  test('verify', async () => {
    const copy = copyOf(root)
    damage(copy, 'commitlog/00000000000000000000', bytes => void (bytes[positions[2]! + 90]! ^= 4))
    const { exitCode, stdout } = await runMqstore('verify', copy)
    expect(exitCode).toBe(1)
    expect(stdout).toContain(
      `00000000000000000000 @${positions[2]}: the record is damaged: its body does not fit its CRC`,
    )
    expect(stdout).toContain(`    message 1 of Topic0-0, record at ${positions[2]}, U2\n`)
    expect(stdout).toMatch(/60 records \(.*\), 60 queue entries and 180 index items read: 1 damaged\n$/)
  })
})

describe('diff', () => {
  test('names records, queues and settings that differ', async () => {
    const copy = copyOf(root)
    const store = createStore({ rootDir: copy, settings: { mappedFileSizeCommitLog: 4096 } })
    await store.start()
    store.append(message({ topic: 'Topic9' }))
    await store.shutdown()
    damage(copy, 'commitlog/00000000000000000000', bytes => void bytes.writeInt32BE(77, positions[3]! + 16))
    for (const [folder, perm] of [
      [root, 6],
      [copy, 4],
    ] as const) {
      mkdirSync(join(folder, 'config'))
      const text = `{"dataVersion":{"counter":${perm}},"topicConfigTable":{"Topic1":{"perm":${perm}}}}`
      writeFileSync(join(folder, 'config', 'topics.json'), text)
    }
    const { exitCode, lines } = await runMqstore('diff', root, copy, '--json', '--only', 'log,queues,config')
    expect(exitCode).toBe(1)
    expect(lines[0]).toMatchObject({ sameRecords: 59, isSame: false })
    expect(lines[0]!.differences).toEqual([
      { part: 'log', where: String(positions[3]), a: 'flag=0', b: 'flag=77' },
      { part: 'log', where: expect.any(String), b: expect.stringMatching(/^Topic9-0#0 /) },
      { part: 'queues', where: 'Topic9-0', b: 'a queue' },
      { part: 'config', where: 'topics.json topicConfigTable Topic1 perm', a: '6', b: '4' },
    ])
  })

  test('finds a log that ends earlier, and an index that lacks keys', async () => {
    const copy = copyOf(root)
    const store = createStore({ rootDir: copy, settings: { mappedFileSizeCommitLog: 4096 } })
    await store.start()
    store.append(message({ properties: 'KEYS\u0001late\u0002' }))
    await store.shutdown()
    const there = (await runMqstore('diff', copy, root, '--json', '--only', 'log,index')).lines[0]!
    expect(there).toMatchObject({ sameRecords: 60, count: 2, counts: { log: 1, index: 1 } })
  })
})

describe('a log over several folders', () => {
  const gap = /files of the log are missing\. It may lie in several folders .* --commitlog, .* --config$/m
  let store: string
  let disks: string
  let config: string

  beforeAll(async () => {
    disks = scratchFolder()
    const folders = ['one', 'two'].map(name => join(disks, name))
    ;({ root: store } = await writtenStore({ storePathCommitLog: folders.join(',') }))
    config = join(disks, 'broker.conf')
    const [one, two] = folders
    writeFileSync(
      config,
      `storePathRootDir = ${store}/\nstorePathCommitLog=${one}\nreadOnlyCommitLogStorePaths= ${two}/ \n`,
    )
  })

  test('is found by the configuration of the broker', async () => {
    expect(await runMqstore('verify', store, '--config', config)).toMatchObject({ exitCode: 0, stderr: '' })
    const { lines, stderr } = await runMqstore('summary', store, '--config', config, '--json', '--count')
    const folders = [join(disks, 'one'), join(disks, 'two')]
    expect([lines[0], stderr]).toMatchObject([{ commitLog: { folders, records: 60, gaps: [] } }, ''])
    const same = await runMqstore('diff', store, store, '--config', config, '--config-b', config)
    expect([same.exitCode, same.stdout]).toEqual([0, '60 records are the same; no differences\n'])
  })

  test('is said to be one when a folder is left out', async () => {
    const one = ['--commitlog', join(disks, 'one')]
    const { exitCode, stdout } = await runMqstore('verify', store, ...one)
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(gap)])
    expect(stdout).toMatch(/the log's part from 4096 to 8191 is missing behind this file/)
    const summary = await runMqstore('summary', store, ...one)
    expect(summary.stdout).toMatch(/^ +no files for 4096 to 8191\n/m)
    expect(summary.stderr).toMatch(gap)
    const { lines } = await runMqstore('summary', store, '--json', ...one)
    expect(lines[0]).toMatchObject({ commitLog: { gaps: expect.arrayContaining([{ from: 4096, to: 8192 }]) } })
    expect((await runMqstore('verify', store, '--json', ...one)).lines[0]!.notes).toContainEqual(
      expect.stringMatching(gap),
    )
  })

  test('is not read by the configuration of another store, or by two answers', async () => {
    const other = await runMqstore('summary', root, '--config', config)
    expect([other.exitCode, other.stderr]).toEqual([
      2,
      `${config} is about the store ${store}/, not ${root}: name that one, or the folders of the log with --commitlog\n`,
    ])
    const both = await runMqstore('summary', store, '--config', config, '--commitlog', disks)
    expect([both.exitCode, both.stderr]).toEqual([2, expect.stringMatching('both --commitlog and --config')])
    const none = await runMqstore('summary', store, '--config', join(disks, 'none'))
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringMatching(/none cannot be read: /)])
  })

  test('a configuration that says nothing about folders means those below the store', async () => {
    const bare = join(disks, 'bare.conf')
    writeFileSync(bare, 'brokerName=a\n')
    expect((await runMqstore('verify', root, '--config', bare)).exitCode).toBe(0)
  })
})

describe('errors say what to do', () => {
  test.each([
    ['a folder that is not there', ['summary', '/no/such/folder'], 'there is no folder /no/such/folder'],
    [
      'a folder without a store',
      ['verify', '/proc/self'],
      '/proc/self holds no store: name the folder that storePathR',
    ],
    ['a key without a topic', ['index', 'ROOT', '--key', 'k'], 'add --topic'],
    ['a queue that is not there', ['queue', 'ROOT', 'Topic0', '7'], 'Topic0 has no queue 7, only 0'],
    ['a topic that is not there', ['queue', 'ROOT', 'None', '0'], 'the store has no queue of None; mqstore summary'],
    ['a number that is none', ['log', 'ROOT', '--from', 'x'], 'a whole number is needed, not "x".'],
    ['an unknown command', ['vrify', 'ROOT'], "unknown command 'vrify'"],
    ['a file that is not there', ['config', 'ROOT', '--file', 'none'], 'there are: '],
  ])('%s', async (_name, argv, text) => {
    const { exitCode, stderr } = await runMqstore(...argv.map(word => (word === 'ROOT' ? root : word)))
    expect(exitCode).toBe(2)
    expect(stderr).toContain(text)
  })

  test('the folder of the log instead of the store', async () => {
    const { stderr } = await runMqstore('summary', join(root, 'commitlog'))
    expect(stderr).toContain('it looks like a commit log: name the folder above it')
  })

  test('as JSON too', async () => {
    const { exitCode, lines } = await runMqstore('summary', '/no/such/folder', '--json')
    expect(exitCode).toBe(2)
    expect(lines).toEqual([{ error: { code: 'ERR_NO_STORE', message: 'there is no folder /no/such/folder' } }])
  })
})

test('nothing can be written by way of it', async () => {
  const path = join(scratchFolder(), 'file')
  writeFileSync(path, 'text')
  expect(() => readOnlyDisk.remove(path)).toThrow('is only looked at, not changed')
  expect(() => readOnlyDisk.mapSync(path, { length: 4, create: false, allocate: false })).toThrow('only looked at')
  const file = await readOnlyDisk.open(path)
  expect(() => file.write([Buffer.from('x')], 0)).toThrow('only looked at')
  const bytes = Buffer.alloc(4)
  expect(await file.read(bytes, 0)).toBe(4)
  expect(bytes.toString()).toBe('text')
  file.close()
  await expect(readOnlyDisk.open(join(path, 'none'))).rejects.toThrow(/cannot be read/)
})
