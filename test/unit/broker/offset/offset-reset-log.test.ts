import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OffsetResetLog, type OffsetResetRecord } from '../../../../src/broker/offset/offset-reset-log.js'
import { brokerParts } from '../../../support/broker-parts.js'

function record(topic: string, group: string, time: number): OffsetResetRecord {
  return { topic, group, time, queues: new Map([[0, { before: -1, after: time }]]) }
}

describe('OffsetResetLog', () => {
  test('keeps the last reset of each group and topic over a restart', async () => {
    const parts = brokerParts()
    const log = new OffsetResetLog(parts)
    await log.remember(record('T', 'G', 1))
    await log.remember(record('T', 'G', 2))
    await log.remember(record('T', 'H', 3))
    const again = new OffsetResetLog(parts)
    again.load()
    expect(again.find('T', 'G')).toEqual(record('T', 'G', 2))
    expect(again.find('T', 'H')).toEqual(record('T', 'H', 3))
    await again.forgetGroup('G')
    expect(again.find('T', 'G')).toBeUndefined()
    await again.forgetTopic('T')
    const empty = new OffsetResetLog(parts)
    empty.load()
    expect(empty.find('T', 'H')).toBeUndefined()
  })

  test('forgets the oldest beyond a thousand', async () => {
    const log = new OffsetResetLog(brokerParts())
    await Promise.all(Array.from({ length: 1001 }, (_, i) => log.remember(record(`T${i}`, 'G', i))))
    expect(log.find('T0', 'G')).toBeUndefined()
    expect(log.find('T1', 'G')).toBeDefined()
    expect(log.find('T1000', 'G')).toBeDefined()
  })

  test('a damaged file ends the start instead of being forgotten', async () => {
    const parts = brokerParts()
    const log = new OffsetResetLog(parts)
    await log.remember(record('T', 'G', 1))
    writeFileSync(join(parts.settings.storePathRootDir, 'config', 'offsetResets.json'), '{"lastResets":')
    expect(() => new OffsetResetLog(parts).load()).toThrow('offsetResets.json')
  })
})
