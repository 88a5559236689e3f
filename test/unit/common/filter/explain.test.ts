import { describe, expect, test } from 'vitest'
import { SqlFilter } from '../../../../src/common/index.js'

describe('SqlFilter.explain', () => {
  const message: Record<string, string> = { a: '3', b: 'x', bad: 'abc' }
  const explain = (sql: string): string[] => new SqlFilter(sql).explain(name => message[name])

  test.each<[sql: string, reasons: string[]]>([
    ['a = 3', []],
    ['a > 5', ["(a > 5) is FALSE: a is '3'"]],
    ['c = 1', ['(c == 1) is NULL: c is missing']],
    ['bad > 1', ["(bad > 1) cannot be evaluated: bad is 'abc'"]],
    ["a > 5 AND b = 'x'", ["(a > 5) is FALSE: a is '3'"]],
    ["a > 5 OR b = 'y'", ["(a > 5) is FALSE: a is '3'", "(b == 'y') is FALSE: b is 'x'"]],
    ['FALSE', ['FALSE is FALSE']],
    // an OR with one side TRUE still matches
    ["a > 5 OR b = 'x'", []],
    // what fails before the TRUE side is reached keeps the message from matching
    ["bad > 1 OR b = 'x'", ["(bad > 1) cannot be evaluated: bad is 'abc'"]],
  ])('%s', (sql, reasons) => {
    expect(explain(sql)).toEqual(reasons)
  })
})
