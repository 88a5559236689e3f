import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Producer } from '../../src/client/index.js'
import { type CometMQ, startCometMQ } from '../../src/embed.js'
import { runMqadmin } from '../support/run-mqadmin.js'
import { parseLines, runMqstore } from '../support/run-mqstore.js'
import { scratchFolder } from '../support/store.js'

/** mqstore and `mqadmin durability` beside a broker that takes messages. */

let mq: CometMQ
let producer: Producer
let sent = 0
let isSending = true
let sending: Promise<void>

beforeAll(async () => {
  mq = await startCometMQ({ store: scratchFolder(), broker: { mappedFileSizeCommitLog: 256 * 1024 } })
  producer = new Producer({ group: 'P', namesrvAddr: mq.namesrvAddr })
  await producer.start()
  sending = (async () => {
    while (isSending) {
      await producer.send({ topic: `Live${sent % 3}`, keys: `k${sent}`, tags: 'T', body: `message ${sent}` })
      sent++
    }
  })()
  await producer.send({ topic: 'Live0', body: 'first' })
})

afterAll(async () => {
  isSending = false
  await sending
  await producer.stop()
  await mq.stop()
})

test('verify finds no damage while messages come in, and changes nothing', async () => {
  for (let round = 0; round < 3; round++) {
    const before = sent
    const { exitCode, lines } = await runMqstore('verify', mq.storePath, '--json')
    expect(lines[0]!.damages).toEqual([])
    expect(exitCode).toBe(0)
    expect(Number(lines[0]!.records)).toBeGreaterThanOrEqual(before)
  }
  expect(existsSync(join(mq.storePath, 'abort'))).toBe(true)
})

test('summary says that a broker runs; log and export show what has been acknowledged', async () => {
  const acknowledged = sent
  const summary = await runMqstore('summary', mq.storePath, '--json')
  expect(summary.lines[0]).toMatchObject({ state: 'running', pid: process.pid })
  const exported = parseLines((await runMqstore('export', mq.storePath)).stdout)
  const bodies = exported.filter(line => String(line.topic).startsWith('Live')).map(line => line.body)
  expect(bodies).toContain('first')
  expect(bodies.length).toBeGreaterThan(acknowledged)
})

describe('mqadmin durability', () => {
  test('as columns and as JSON', async () => {
    const text = await runMqadmin(['durability', '-b', mq.brokerAddr, '-n', mq.namesrvAddr])
    expect(text.stderr).toBe('')
    expect(text.stdout).toMatch(/^#Broker +#Mode +#Acknowledged +#Messages +#Bytes +#Millis +#State\n/)
    expect(text.stdout.split('\n')[1]).toMatch(/^\S+ +ASYNC_FLUSH +\d+ +\d+ +\d+ +\d+ {2}OK$/)
    const json = await runMqadmin(['durability', '-c', 'DefaultCluster', '-n', mq.namesrvAddr, '--json'])
    const [broker] = (JSON.parse(json.stdout) as { result: Record<string, unknown>[] }).result
    expect(broker).toMatchObject({ address: mq.brokerAddr, flushDiskType: 'ASYNC_FLUSH', isWritable: true })
    expect(Number(broker!.writtenOffset) - Number(broker!.flushedOffset)).toBe(broker!.bytes)
  })
})

test('the launcher runs the program', async () => {
  const root = resolve(import.meta.dirname, '../..')
  const launcher = readFileSync(join(root, 'bin', 'mqstore'), 'utf8')
  expect(launcher).toContain("'../dist/inspect/start.js'")
  expect(readdirSync(join(root, 'src', 'inspect'))).toContain('start.ts')
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>(done =>
    execFile(process.execPath, [join(root, 'bin', 'mqstore'), 'summary', '/no/such/folder'], (error, _stdout, stderr) =>
      done({ code: error?.code, stderr }),
    ),
  )
  // what is not built says so
  expect([1, 2]).toContain(code)
  expect(stderr).toMatch(/there is no folder \/no\/such\/folder|mqstore is not built yet/)
})
