import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OffsetSet } from '../../../../src/broker/transaction/offset-set.js'

describe('a set of queue offsets', () => {
  test('holds what was added, and everything below its floor', () => {
    const set = new OffsetSet()
    set.reset(100)
    set.add(101)
    set.add(8192)
    expect([99, 100, 101, 8191, 8192].map(offset => set.has(offset))).toEqual([true, false, true, false, true])
    set.raiseFloor(101)
    expect(set.has(100)).toBe(true)
    expect(set.firstMissing(0)).toBe(102)
    set.raiseFloor(50)
    expect(set.floor).toBe(101)
    set.reset(0)
    expect(set.has(101)).toBe(false)
  })

  test('finds the first missing offset across chunks', () => {
    const set = new OffsetSet()
    for (let offset = 0; offset < 20_000; offset++) set.add(offset)
    expect(set.firstMissing(0)).toBe(20_000)
    expect(set.firstMissing(19_999)).toBe(20_000)
    expect(set.firstMissing(30_000)).toBe(30_000)
  })

  test('behaves as a set of numbers', () => {
    const step = fc.tuple(fc.constantFrom('add', 'raise'), fc.integer({ min: 0, max: 20_000 }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), steps => {
        const set = new OffsetSet()
        const model = new Set<number>()
        let floor = 0
        for (const [what, offset] of steps) {
          if (what === 'add') {
            set.add(offset)
            model.add(offset)
          } else if (offset % 10 === 0) {
            set.raiseFloor(offset)
            floor = Math.max(floor, offset)
          }
          for (const probe of [offset - 1, offset, offset + 1]) {
            if (probe >= 0) expect(set.has(probe)).toBe(probe < floor || model.has(probe))
          }
          let missing = Math.max(offset, floor)
          while (model.has(missing)) missing++
          expect(set.firstMissing(offset)).toBe(missing)
        }
      }),
    )
  })
})
