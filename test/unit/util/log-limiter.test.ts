import { expect, test } from 'vitest'
import { createLogLimiter, type Logger, silentLogger } from '../../../src/util/index.js'
import { ManualClock } from '../../support/manual-clock.js'

function recording(): { lines: unknown[]; logger: Logger } {
  const lines: unknown[] = []
  return { lines, logger: { ...silentLogger, warn: (fields, text) => lines.push([text, fields]) } }
}

test('lets the first through, counts the rest, and says how many with the next', async () => {
  const clock = new ManualClock()
  const { lines, logger } = recording()
  const limiter = createLogLimiter({ clock, periodMs: 1000 })
  for (let i = 0; i < 5; i++) limiter.warn(logger, 'busy', { i }, 'busy')
  expect(limiter.warn(logger, 'other', {}, 'other')).toBe(true)
  await clock.advance(999)
  expect(limiter.warn(logger, 'busy', { i: 5 }, 'busy')).toBe(false)
  await clock.advance(1)
  expect(limiter.warn(logger, 'busy', { i: 6 }, 'busy')).toBe(true)
  expect(lines).toEqual([
    ['busy', { i: 0 }],
    ['other', {}],
    ['busy', { i: 6, suppressed: 5 }],
  ])
})

test('remembers a bounded number of keys', () => {
  const { lines, logger } = recording()
  const limiter = createLogLimiter({ clock: new ManualClock(), periodMs: 1000, maxKeys: 2 })
  for (const key of ['a', 'b', 'c', 'a', 'c']) limiter.warn(logger, key, {}, key)
  expect(lines.map(line => (line as string[])[0])).toEqual(['a', 'b', 'c', 'a'])
})
