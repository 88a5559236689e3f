import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createLog, type LogOptions } from '../../../src/observability/index.js'
import { formatLogLine } from '../../../src/observability/log-line.js'
import { MQError } from '../../../src/util/index.js'
import { eventually } from '../../support/eventually.js'

function log(options: LogOptions = {}) {
  const lines: string[] = []
  return {
    lines,
    ...createLog({
      ...options,
      output: { write: line => void lines.push(line), drained: async () => {}, flush: () => {} },
    }),
  }
}

const record = { level: 30, time: Date.UTC(2026, 0, 2, 3, 4, 5, 6), component: 'RocketmqBroker' }

describe('a text line', () => {
  test('time, level, component, text, fields', () => {
    expect(formatLogLine({ ...record, event: 'started', port: 10911, ok: true, msg: 'the broker is up' })).toBe(
      '2026-01-02 03:04:05.006 INFO  RocketmqBroker the broker is up event=started port=10911 ok=true',
    )
  })

  test('fields with blanks, quotes or nothing are quoted, objects are JSON', () => {
    const fields = { a: 'x y', b: '', c: 'say "x"', d: [1, { e: null }], f: 'k=v', g: null, h: undefined }
    expect(formatLogLine({ ...record, ...fields, msg: 't' })).toMatch(
      / t a="x y" b="" c="say \\"x\\"" d=\[1,\{"e":null\}\] f="k=v" g=null$/,
    )
  })

  test('stays one line whatever a peer sends', () => {
    const evil = 'a\n2026-01-01 INFO x\r\u2028\u001b[31m'
    const line = formatLogLine({ ...record, topic: evil, msg: evil, err: { message: evil, stack: evil } })
    expect(line).not.toMatch(/[\p{Cc}\u2028]/u)
  })
})

describe('a log', () => {
  test('writes what its level lets through, for children too, and follows a change', () => {
    const { lines, logger, setLevel } = log()
    const child = logger.child('RocketmqStore')
    child.debug({}, 'no')
    child.info({ event: 'x' }, 'one')
    setLevel('error')
    logger.warn({}, 'no')
    child.error({}, 'two')
    setLevel('debug')
    child.debug({}, 'three')
    expect(lines.map(line => line.slice(24))).toEqual([
      'INFO  RocketmqStore one event=x\n',
      'ERROR RocketmqStore two\n',
      'DEBUG RocketmqStore three\n',
    ])
  })

  test('json: an object per line', () => {
    const { lines, logger } = log({ format: 'json' })
    logger.warn({ event: 'slow', costMs: 12 }, 'slow request')
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: 40,
      component: 'CometMQ',
      event: 'slow',
      costMs: 12,
      msg: 'slow request',
    })
    expect(lines[0]).toMatch(/}\n$/)
  })

  test('json goes to a file, too', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cometmq-log-')), 'broker.log')
    const { logger } = createLog({ format: 'json', file })
    logger.info({ event: 'x' }, 'one')
    await eventually(() => existsSync(file) && readFileSync(file, 'utf8').includes('"msg":"one"'))
  })

  test('errors come with their code and where they are from', () => {
    const { lines, logger } = log()
    logger.error({ err: new MQError('ERR_X', 'the disk is full') }, 'flush failed')
    expect(lines[0]).toMatch(/ERROR CometMQ flush failed code=ERR_X err="MQError: the disk is full\\n {4}at /)
  })

  test('what cannot be JSON does not stop it', () => {
    const { lines, logger } = log()
    const circle: { self?: unknown } = {}
    circle.self = circle
    logger.info({ circle }, 'round')
    expect(lines).toHaveLength(1)
  })
})

describe('a log file', () => {
  test('is put aside when it has grown, and the oldest is dropped', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cometmq-log-')), 'logs', 'broker.log')
    const { logger, flush } = createLog({ file, maxBytes: 4096, keep: 2 })
    const text = 'x'.repeat(1000)
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 5; i++) logger.info({ round }, text)
      const last = (name: string) => (existsSync(name) ? readFileSync(name, 'utf8') : '')
      await eventually(() => last(`${file}.1`).includes(`round=${round}`) && existsSync(file), `rotation ${round}`)
    }
    logger.info({}, 'the end')
    flush()
    await eventually(() => readFileSync(file, 'utf8').includes('the end'))
    expect([1, 2, 3].map(i => existsSync(`${file}.${i}`))).toEqual([true, true, false])
    expect(readFileSync(`${file}.2`, 'utf8')).toContain('round=2')
  })
})
