import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { javaHash } from '../../../src/util/index.js'
import { copyOf, damage, verify, writtenStore } from '../../support/inspected-store.js'
import { runMqstore } from '../../support/run-mqstore.js'

const FIRST = '00000000000000000000'
const extended = { enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 400 }

test('queue shows what extensions say; verify finds nothing in a sound store', async () => {
  const { root } = await writtenStore(extended)
  const { lines } = await runMqstore('queue', root, 'Topic0', '0', '--json')
  expect(lines.length).toBe(30)
  expect(lines[1]).toMatchObject({ queueOffset: 1, tagsCode: javaHash('Tag2'), extension: { offset: 20 } })
  expect(await verify(root)).toMatchObject({ exitCode: 0, damages: [] })
})

test('verify names an extension that is wrong, and one that is gone', async () => {
  const { root } = await writtenStore(extended)
  const wrong = copyOf(root)
  damage(wrong, `consumequeue_ext/Topic0/0/${FIRST}`, bytes => void bytes.writeInt8(1, 3 * 20 + 5))
  const found = await verify(wrong)
  expect(found.exitCode).toBe(1)
  expect(found.damages).toMatchObject([
    { part: 'consumequeue_ext', position: 60, messages: [{ topic: 'Topic0', queueId: 0, queueOffset: 3 }] },
  ])
  const gone = copyOf(root)
  rmSync(join(gone, `consumequeue_ext/Topic1/0/${FIRST}`))
  const { damages } = await verify(gone)
  // 19 units of 20 bytes fit into a file of 400
  expect(damages.length).toBe(19)
  expect(damages[0]).toMatchObject({ part: 'consumequeue_ext', problem: expect.stringMatching(/is not there/) })
  expect((await runMqstore('queue', gone, 'Topic1', '0')).stdout).toMatch(/tags code lost/)
})

test('diff takes extensions at other places for the same when they say the same', async () => {
  const { root } = await writtenStore(extended)
  const other = copyOf(root)
  const queue = `consumequeue/Topic0/0/${FIRST}`
  expect((await runMqstore('diff', root, other)).exitCode).toBe(0)
  damage(other, queue, bytes => void bytes.writeInt8(20, 19))
  const { exitCode, stdout } = await runMqstore('diff', root, other)
  expect([exitCode, /Topic0-0 entry 0/.test(stdout)]).toEqual([1, true])
})
