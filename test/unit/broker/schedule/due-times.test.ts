import { expect, test } from 'vitest'
import { DueTimes } from '../../../../src/broker/schedule/due-times.js'

const DELAY = 10_000
const unit = (physicalOffset: number, storedAt: number) => ({ physicalOffset, tagsCode: storedAt + DELAY })

function times(logEnd = 1000): DueTimes {
  return new DueTimes(
    () => DELAY,
    () => logEnd,
  )
}

test('a message is due when it says', () => {
  expect(times().dueTime(unit(0, 50_000), 50_000)).toBe(60_000)
  expect(times().dueTime(unit(0, 50_000), 90_000)).toBe(60_000)
})

test('a clock set back: one delay from the moment it was noticed, which does not move on', () => {
  const due = times()
  expect(due.dueTime(unit(0, 1_000_000), 5_000)).toBe(15_000)
  expect(due.dueTime(unit(0, 1_000_000), 9_000)).toBe(15_000)
  expect(due.dueTime(unit(200, 1_000_900), 14_999)).toBe(15_000)
})

test('messages stored after the clock was set back keep their own time', () => {
  const due = times(1000)
  due.dueTime(unit(0, 1_000_000), 5_000)
  // before it was noticed
  expect(due.dueTime(unit(900, 4_500), 15_000)).toBe(14_500)
  expect(due.dueTime(unit(1000, 9_000), 15_000)).toBe(19_000)
})

test('set back twice: counted anew', () => {
  const due = times()
  due.dueTime(unit(0, 1_000_000), 500_000)
  expect(due.dueTime(unit(0, 1_000_000), 5_000)).toBe(15_000)
})

test('a small correction waits for the time the message says, never for less than its delay', () => {
  const due = times()
  // 50 ms back, noticed 10 ms later
  expect(due.dueTime(unit(0, 100_000), 99_960)).toBe(109_960)
})
