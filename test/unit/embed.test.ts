import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type StartCometMQOptions, startCometMQ } from '../../src/embed.js'
import { tempDir } from '../support/temp-dir.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tempDir(), 'tmp-'))
  vi.stubEnv('TMPDIR', folder)
})
afterEach(() => void vi.unstubAllEnvs())

/** What callers without types may write. */
const untyped = (options: object): StartCometMQOptions => options

describe('startCometMQ', () => {
  it.each([
    [
      'a key that there is not',
      { broker: { storePathCommitlog: '/x' } },
      'there is no setting storePathCommitlog (did you mean storePathCommitLog?)',
    ],
    [
      'a key of the NameServer that there is not',
      { namesrv: { listnPort: 1 } },
      'no setting listnPort (did you mean listenPort?)',
    ],
    ['a key like no other', { broker: { somethingElseEntirely: 1 } }, 'there is no setting somethingElseEntirely'],
    ['every such key', { broker: { brokrName: 'a', brokerNmae: 'b' } }, /brokrName.*brokerName.*\n.*brokerNmae/],
    ['a value that does not fit', { broker: { flushDiskType: 'SOMETIMES' } }, 'flushDiskType=SOMETIMES: must be'],
  ])('refuses %s and leaves no folder behind', async (_what, options, text) => {
    await expect(startCometMQ(untyped(options))).rejects.toMatchObject({
      code: 'ERR_SETTING_INVALID',
      message: typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it('leaves no folder behind when a port is taken', async () => {
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as { port: number }
    await expect(startCometMQ({ brokerPort: port })).rejects.toThrow(String(port))
    expect(readdirSync(folder)).toEqual([])
  })

  it('keeps a folder it was given', async () => {
    writeFileSync(join(folder, 'mine'), 'x')
    await expect(startCometMQ(untyped({ store: folder, broker: { nothing: 1 } }))).rejects.toThrow('no setting nothing')
    expect(readdirSync(folder)).toEqual(['mine'])
  })

  it('takes an undefined value for none, and removes its folder at the end', async () => {
    const system = await startCometMQ(untyped({ broker: { brokerName: undefined, defaultTopicQueueNums: 2 } }))
    expect(readdirSync(folder).length).toBe(1)
    await system.stop()
    expect(readdirSync(folder)).toEqual([])
  })
})
