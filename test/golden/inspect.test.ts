import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { goldenManifest, goldenStore } from '../support/golden.js'
import { type GoldenMessage, goldenStoreManifest } from '../support/golden-manifest.js'
import { runMqstore } from '../support/run-mqstore.js'

/** mqstore against the manifests of stores that the Java broker wrote: every number in them. */

const names = ['clean', 'crashed', 'rolled', 'trimmed'] as const

/** What the manifest holds beyond what other tests look at. */
interface MoreManifest {
  messages: (GoldenMessage & Record<string, unknown>)[]
  timerCheck?: Record<string, number>
  batchConsumeQueues: { topic: string; queueId: number; entries: Record<string, unknown>[] }[]
}

describe.each(names)('a store of the Java broker: %s', name => {
  const golden = goldenStoreManifest(name)
  const more = goldenManifest(name) as MoreManifest
  const root = goldenStore(name)

  test('summary', async () => {
    const { exitCode, lines } = await runMqstore('summary', root, '--count', '--json')
    expect(exitCode).toBe(0)
    const { commitLog, consumeQueues, batchConsumeQueues, indexFiles, checkpoint, state } = lines[0] as never as {
      commitLog: Record<string, unknown> & { files: { name: string; size: number }[] }
      consumeQueues: Record<string, unknown>[]
      batchConsumeQueues: Record<string, unknown>[]
      indexFiles: Record<string, unknown>[]
      checkpoint: Record<string, unknown>
      state: string
    }
    const { files, blanks, endOffset, records } = golden.commitlog
    expect(commitLog).toMatchObject({ endOffset, records, blanks, unreadable: [] })
    expect(commitLog.files.map(({ name, size }) => ({ name, size }))).toEqual(files)
    expect(consumeQueues).toEqual(
      golden.consumeQueues.map(queue => {
        const { entries: _, ...rest } = queue as typeof queue & { files: unknown; staleEntries: number }
        return rest
      }),
    )
    expect(batchConsumeQueues).toMatchObject(
      golden.batchConsumeQueues.map(({ topic, queueId, entries }) => ({ topic, queueId, entries: entries.length })),
    )
    expect(indexFiles).toEqual(golden.indexFiles.map(({ items: _, ...header }) => header))
    expect(checkpoint).toMatchObject(golden.checkpoint)
    expect(state === 'closed').toBe(!golden.abortFilePresent)
    const quick = await runMqstore('summary', root, '--json')
    expect(quick.lines[0]!.commitLog).toMatchObject({ endOffset })
  })

  test('log', async () => {
    const { lines } = await runMqstore('log', root, '--json', '--body')
    const records = lines.filter(line => line.blank === undefined)
    const blanks = lines.filter(line => line.blank !== undefined)
    expect(blanks.map(({ physicalOffset, size }) => ({ offset: physicalOffset, size }))).toEqual(golden.commitlog.blanks)
    expect(records.length).toBe(more.messages.length)
    for (const [i, expected] of more.messages.entries()) {
      const { body, bodyBase64, problem, ...record } = records[i]! as Record<string, string | undefined>
      const bytes = bodyBase64 === undefined ? Buffer.from(body ?? '') : Buffer.from(bodyBase64, 'base64')
      const bodySha256 = createHash('sha256').update(bytes).digest('hex')
      expect(problem).toBeUndefined()
      const { storedBodySha256: _, rawSha256: __, bodyLength: ___, clientMsgId: ____, clientSysFlag: _____, ...fields } =
        expected
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
      expect({ ...record, bodySha256 }).toEqual(given)
    }
  })

  test('log by either kind of id', async () => {
    for (const message of more.messages.slice(0, 20)) {
      const byOffset = await runMqstore('log', root, '--json', '--id', String(message.offsetMsgId))
      expect(byOffset.lines).toMatchObject([{ physicalOffset: message.physicalOffset }])
      if (message.uniqueKey === null) continue
      const byKey = await runMqstore('log', root, '--json', '--id', message.uniqueKey, '--topic', message.topic)
      expect(byKey.lines.map(line => line.physicalOffset)).toContain(message.physicalOffset)
    }
    const nothing = await runMqstore('log', root, '--json', '--id', 'NoSuchId')
    expect(nothing).toMatchObject({ exitCode: 1, stdout: '', stderr: 'no record of the store has the id NoSuchId\n' })
  })

  test('queue', async () => {
    for (const { topic, queueId, min, entries } of golden.consumeQueues) {
      const { lines } = await runMqstore('queue', root, topic, String(queueId), '--json')
      const found = lines.map(line => [line.queueOffset, line.physicalOffset, line.size, String(line.tagsCode)])
      expect(found).toEqual(entries.map((entry, i) => [min + i, ...entry]))
    }
    for (const { topic, queueId, entries } of more.batchConsumeQueues) {
      const { lines } = await runMqstore('queue', root, topic, String(queueId), '--json')
      expect(lines).toMatchObject(entries.map(({ offset, reserved: _, tagsCode, ...rest }) => ({
          physicalOffset: offset,
          tagsCode: Number(tagsCode),
          ...rest,
        })))
      expect(lines.length).toBe(entries.length)
    }
  })

  test('index', async () => {
    for (const file of golden.indexFiles) {
      const { lines } = await runMqstore('index', root, '--items', '--file', file.name, '--json')
      const items = lines.map(line => [line.keyHash, line.physicalOffset, line.timeDiffSeconds, line.previous])
      expect(items).toEqual(file.items)
    }
    for (const message of more.messages.slice(-10)) {
      for (const key of [message.uniqueKey, ...(message.keys?.split(' ') ?? [])]) {
        if (key === null || key === '') continue
        const { lines } = await runMqstore('index', root, '--key', key, '--topic', message.topic, '--json')
        expect(lines.map(line => line.physicalOffset)).toContain(message.physicalOffset)
      }
    }
  })

  test('checkpoint', async () => {
    const { lines } = await runMqstore('checkpoint', root, '--json')
    expect(lines[0]!.checkpoint).toMatchObject(golden.checkpoint)
    expect(lines[0]!.abort).toBe(golden.abortFilePresent)
    if (more.timerCheck === undefined) expect(lines[0]!.timerCheck).toBeUndefined()
    else expect(lines[0]!.timerCheck).toMatchObject(more.timerCheck)
  })

  test('config', async () => {
    const { exitCode, lines } = await runMqstore('config', root, '--json', '--backups')
    expect(exitCode).toBe(0)
    const files = lines[0]!.files as { name: string; content: object; path: string }[]
    expect(files.map(file => file.name)).toContain('topics.json')
    const offsets = files.find(file => file.name === 'consumerOffset.json')
    // Java's file has bare numbers as keys
    const expected = readFileSync(join(root, 'config', 'consumerOffset.json'), 'utf8').replace(/([{,])(\d+):/g, '$1"$2":')
    expect(offsets!.content).toEqual(JSON.parse(expected))
  })

  test('verify finds nothing', async () => {
    const { exitCode, lines } = await runMqstore('verify', root, '--json')
    expect(lines[0]!.damages).toEqual([])
    expect(lines[0]).toMatchObject({ isSound: true, records: golden.commitlog.records, logEnd: golden.commitlog.endOffset })
    const items = golden.indexFiles.reduce((sum, file) => sum + file.items.length, 0)
    expect(lines[0]!.indexItems).toBe(items)
    expect(exitCode).toBe(0)
  })

  test('diff with a copy of itself', async () => {
    const { exitCode, stdout } = await runMqstore('diff', root, goldenStore(name))
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `${golden.commitlog.records} records are the same; no differences\n`,
    })
  })

  test('export', async () => {
    const { lines } = await runMqstore('export', root, '--system', '--json')
    expect(lines.map(line => line.physicalOffset)).toEqual(golden.messages.map(message => message.physicalOffset))
  })
})
