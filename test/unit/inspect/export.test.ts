import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { copyOf, damage, writtenStore } from '../../support/inspected-store.js'
import { parseLines, runMqstore } from '../../support/run-mqstore.js'
import { createStore, message, scratchFolder } from '../../support/store.js'

let root: string
let positions: number[]
let out: string

beforeEach(async () => {
  ;({ root, positions } = await writtenStore())
  out = join(scratchFolder(), 'messages.jsonl')
})

const exported = (path = out) => parseLines(readFileSync(path, 'utf8'))

async function appendMore(count: number): Promise<void> {
  const store = createStore({ rootDir: root, settings: { mappedFileSizeCommitLog: 4096 } })
  await store.start()
  for (let i = 0; i < count; i++) store.append(message({ topic: 'Topic0', body: Buffer.from(`later ${i}`) }))
  await store.shutdown()
}

test('every message with its body, in the order of the log', async () => {
  expect(await runMqstore('export', root, '--out', out)).toMatchObject({ exitCode: 0 })
  expect(exported().map(line => line.physicalOffset)).toEqual(positions)
  expect(exported()[7]).toMatchObject({
    topic: 'Topic1',
    queueOffset: 3,
    body: 'body of message 7',
    keys: 'key7 shared',
  })
})

test('a later run adds what has come since, and nothing twice', async () => {
  await runMqstore('export', root, '--out', out)
  expect((await runMqstore('export', root, '--out', out)).stderr).toContain('after 60 messages')
  expect(exported().length).toBe(60)
  await appendMore(5)
  await runMqstore('export', root, '--out', out)
  expect(
    exported()
      .map(line => line.body)
      .slice(58),
  ).toEqual(['body of message 58', 'body of message 59', ...[0, 1, 2, 3, 4].map(i => `later ${i}`)])
})

test('what a run wrote after its last mark is written again, not doubled', async () => {
  await runMqstore('export', root, '--out', out)
  await appendMore(2)
  appendFileSync(out, '{"half":"a li')
  await runMqstore('export', root, '--out', out)
  expect(exported().length).toBe(62)
})

test('topics and times choose', async () => {
  const { stdout } = await runMqstore('export', root, '--topic', 'Topic1')
  const ofTopic = parseLines(stdout)
  expect(ofTopic.map(line => line.physicalOffset)).toEqual(positions.filter((_, i) => i % 2 === 1))
  const from = Number(ofTopic[10]!.storeTimestamp)
  const since = parseLines((await runMqstore('export', root, '--since', String(from))).stdout)
  expect(since.every(line => Number(line.storeTimestamp) >= from)).toBe(true)
  expect(since.map(line => line.physicalOffset)).toContain(positions[59])
  expect((await runMqstore('export', root, '--until', '2001-09-09T01:46:40Z')).stdout).toBe('')
})

test('another filter, another store and an output without a mark are refused', async () => {
  await runMqstore('export', root, '--out', out)
  expect(await runMqstore('export', root, '--out', out, '--topic', 'Topic1')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('was made with other filters'),
  })
  // message ids hold the address of the broker: give the other store another one
  const other = copyOf(root)
  for (const name of ['00000000000000008192', '00000000000000004096']) {
    damage(other, `commitlog/${name}`, bytes => {
      for (let at = bytes.indexOf('7f000001', 0, 'hex'); at >= 0; at = bytes.indexOf('7f000001', at + 1, 'hex'))
        bytes[at] = 10
      return undefined
    })
  }
  expect(await runMqstore('export', other, '--out', out)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('was made with another store'),
  })
  const taken = join(scratchFolder(), 'taken')
  writeFileSync(taken, 'mine')
  expect((await runMqstore('export', root, '--out', taken)).stderr).toContain('is there already')
  expect(readFileSync(taken, 'utf8')).toBe('mine')
})

test('what is damaged is left out or marked, and said', async () => {
  const copy = copyOf(root)
  damage(copy, 'commitlog/00000000000000000000', bytes => {
    bytes[positions[2]! + 4]! ^= 1
    bytes[positions[5]! + 90]! ^= 1
    return undefined
  })
  const { exitCode, stdout, stderr } = await runMqstore('export', copy)
  const lines = parseLines(stdout)
  expect(exitCode).toBe(1)
  expect(lines.map(line => line.physicalOffset)).toEqual(positions.filter((_, i) => i !== 2))
  expect(lines[4]).toMatchObject({ problem: 'its body does not fit its CRC' })
  expect(stderr).toMatch(
    /no record can be read in \d+ bytes at \d+ of .*\n59 messages exported.*\n1 of them are damaged/s,
  )
})
