import { describe, expect, test } from 'vitest'
import {
  BloomFilter,
  buildSubscriptionData,
  matchesTag,
  matchesTagsCode,
  takesEverything,
} from '../../../../src/common/index.js'

describe('bloom filter', () => {
  const filter = new BloomFilter({ errorRate: 20, expectedConsumers: 32 })

  test('has the size and the bits of Java', () => {
    expect([filter.hashCount, filter.bitCount]).toEqual([3, 112])
    expect(filter.generate('StoreGroupSql', 'StoreSql')).toEqual({ bitNum: 112, bitPos: [66, 102, 47] })
  })

  test('never denies what was added, denies most others', () => {
    const bits = filter.newBits()
    const added = Array.from({ length: 10 }, (_, i) => filter.generate(`G${i}`, 'T'))
    for (const data of added) filter.hashTo(data, bits)
    expect(added.every(data => filter.isHit(data, bits))).toBe(true)
    const others = Array.from({ length: 1000 }, (_, i) => filter.generate(`other-${i}-${'x'.repeat(i % 40)}`, 'T'))
    expect(others.filter(data => filter.isHit(data, bits)).length).toBeLessThan(200)
  })

  test('knows data of another shape', () => {
    expect(filter.isValid({ bitNum: 112, bitPos: [1, 2, 3] })).toBe(true)
    expect(filter.isValid({ bitNum: 120, bitPos: [1, 2, 3] })).toBe(false)
    expect(filter.isValid({ bitNum: 112, bitPos: [1] })).toBe(false)
    expect(() => new BloomFilter({ errorRate: 100, expectedConsumers: 1 })).toThrow('error rate')
  })
})

describe('tags', () => {
  const some = buildSubscriptionData({ topic: 'T', expression: 'TagA || TagB', subVersion: 1 })
  const all = buildSubscriptionData({ topic: 'T', subVersion: 1 })
  const sql = buildSubscriptionData({ topic: 'T', expression: '*', expressionType: 'SQL92', subVersion: 1 })

  test('the broker compares hashes, the client texts', () => {
    // "Aa" and "BB" have one hash
    const clash = buildSubscriptionData({ topic: 'T', expression: 'Aa', subVersion: 1 })
    expect([2598919, 2598920, 0].map(code => matchesTagsCode(some, code))).toEqual([true, true, false])
    expect(matchesTagsCode(clash, 2112)).toBe(true)
    expect([matchesTag(clash, 'Aa'), matchesTag(clash, 'BB'), matchesTag(clash, undefined)]).toEqual([
      true,
      false,
      false,
    ])
  })

  test('everything', () => {
    expect([matchesTagsCode(all, 5), matchesTag(all, undefined), takesEverything(all)]).toEqual([true, true, true])
    expect([takesEverything(some), takesEverything(sql)]).toEqual([false, false])
  })

  test('negative hashes, as queue entries hold them', () => {
    const negative = buildSubscriptionData({ topic: 'T', expression: 'polygenelubricants', subVersion: 1 })
    expect([...negative.codeSet]).toEqual([-2147483648])
    expect(matchesTagsCode(negative, -2147483648)).toBe(true)
  })
})
