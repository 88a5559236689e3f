import { describe, expect, test } from 'vitest'
import { encodeProperties, FilterCompileError, RecordProperties, SqlFilter } from '../../../../src/common/index.js'

function matches(expression: string, properties: Record<string, string> = {}): boolean {
  return new SqlFilter(expression).matches(name => properties[name])
}

function refusal(expression: string): string {
  try {
    new SqlFilter(expression)
  } catch (error) {
    expect(error).toBeInstanceOf(FilterCompileError)
    return (error as Error).message
  }
  throw new Error(`${expression} was accepted`)
}

describe('evaluation', () => {
  test.each<[string, Record<string, string>, boolean]>([
    // numbers
    ['a > 5', { a: '6' }, true],
    ['a > 5', { a: '5' }, false],
    ['a = 5', { a: '+5' }, true],
    ['a > 5', { a: '6.0' }, false],
    ['a > 5', { a: ' 6' }, false],
    ['a > 5', { a: '3000000001' }, false],
    ['a > 5L', { a: '3000000001' }, false],
    ['a > 3000000000', { a: '3000000001' }, true],
    ['a < 9223372036854775807', { a: '9223372036854775806' }, true],
    ['a > 5.0', { a: '6' }, true],
    ['a > 5.0', { a: '1e3' }, true],
    ['a > 5.0', { a: 'NaN' }, true],
    ['a = 10.0', { a: ' 0x1.4p3 ' }, true],
    ['a = .5', { a: '0.5f' }, true],
    ['a = 5.', { a: '5' }, true],
    ['a = -5', { a: '-5' }, true],
    ['a > - -5', { a: '6' }, true],
    ['a > +5', { a: '6' }, true],
    ['-a = 5', { a: '-5' }, false],
    ['5 < a', { a: '6' }, true],
    ['a BETWEEN 1 AND 3', { a: '3' }, true],
    ['a BETWEEN 1.0 AND 5', { a: '2.5' }, false],
    ['a NOT BETWEEN 1 AND 3', { a: '4' }, true],
    ['a NOT BETWEEN 3 AND 1', { a: '2' }, true],
    ['a BETWEEN b AND c', { a: '2', b: '1.5', c: '2.5' }, true],
    // texts
    ["a = 'x'", { a: 'x' }, true],
    ["a = 'it''s'", { a: "it's" }, true],
    ["a <> 'x'", { a: 'y' }, true],
    ["a IN ('x', 'y')", { a: 'y' }, true],
    ["a NOT IN ('x', 'y')", { a: 'z' }, true],
    ["a contains 'b'", { a: 'abc' }, true],
    ["a NOT CONTAINS 'b'", { a: 'abc' }, false],
    ["a STARTSWITH 'ab'", { a: 'abc' }, true],
    ["a ENDSWITH 'BC'", { a: 'abc' }, false],
    ["a NOT ENDSWITH 'BC'", { a: 'abc' }, true],
    ["a CONTAINS ''", { a: 'abc' }, false],
    ["a NOT CONTAINS ''", { a: 'abc' }, false],
    ["'abc' CONTAINS 'b'", {}, true],
    ["a = 'ü😀'", { a: 'ü😀' }, true],
    ['a = b', { a: 'x', b: 'x' }, true],
    ['a > b', { a: '2', b: '10' }, false],
    ['a > b', { a: 'x', b: '10' }, false],
    // booleans
    ['a = TRUE', { a: 'TrUe' }, true],
    ['a = FALSE', { a: 'whatever' }, true],
    ['TRUE = a', { a: 'true' }, false],
    ['a', { a: 'true' }, false],
    ['NOT a', { a: 'true' }, true],
    ['TRUE', {}, true],
    ['NULL', {}, false],
    ['(a = 1) = (b = 1)', { a: '1', b: '1' }, true],
    ['1 = 1', {}, true],
    ["1 = '1'", {}, true],
    ["1 = 'x' OR TRUE", {}, false],
    ['TRUE OR 1 = a', { a: 'x' }, true],
    ['1 = TRUE', {}, false],
    // missing properties
    ['a <> 5', {}, false],
    ['NOT (a > 5)', {}, false],
    ['a <> 5 OR a IS NULL', {}, true],
    ['a IS NOT NULL', { a: 'x' }, true],
    ['a IS NULL', { a: 'x' }, false],
    ["a NOT IN ('x')", {}, false],
    ["a NOT CONTAINS 'x'", {}, false],
    ['a = 1 AND FALSE', {}, false],
    ['NOT (a = 1 AND FALSE)', {}, true],
    ['a = 1 OR TRUE', {}, true],
    ['a = b', {}, true],
    ['NOT a = 1', { a: '1' }, false],
    // lexis
    ['A = 1', { a: '1' }, false],
    ['a BeTwEeN 1 aNd 2 AnD b iS nOt NuLl', { a: '1', b: 'x' }, true],
    ['$a_1 = 1', { $a_1: '1' }, true],
    ['a /* = 2 */ = -- no\n 1', { a: '1' }, true],
    // what follows the expression is ignored
    ['a = 1 b', { a: '1' }, true],
    ['a = 1 ) OR', { a: '1' }, true],
    ['a = 007', { a: '0' }, true],
    ['a = 0x10', { a: '0' }, true],
    ['a = 1 -- end', { a: '1' }, true],
  ])('%s of %j is %s', (expression, properties, expected) => {
    expect(matches(expression, properties)).toBe(expected)
  })

  test('over the bytes of a record', () => {
    const filter = new SqlFilter("color = 'red' AND n > 5")
    const properties = new RecordProperties()
    const record = (color: string, n: string) =>
      Buffer.from(
        `xx${encodeProperties([
          ['color', color],
          ['n', n],
        ])}yy`,
      )
    const run = (bytes: Buffer) => filter.matches(properties.of(bytes, 2, bytes.length - 2).get)
    const inBytes = (bytes: Buffer) => filter.matchesBytes(bytes, 2, bytes.length - 2)
    for (const one of [run, inBytes])
      expect([record('red', '6'), record('blue', '6'), record('red', 'x')].map(one)).toEqual([true, false, false])
  })
})

describe('refusals', () => {
  const ending = 'org.apache.rocketmq.filter.parser.ParseException: Encountered'

  test.each<[string, string]>([
    ['', `${ending} "<EOF>" at line 0, column 0.\nWas expecting one of:\n    "NOT" ...\n`],
    ['a = 1 OR', `${ending} "<EOF>" at line 1, column 8.`],
    ['AND a = 1', `${ending} " "AND" "AND "" at line 1, column 1.`],
    ['a\n  IS', `${ending} "<EOF>" at line 2, column 4.\nWas expecting one of:\n    "NOT" ...\n    "NULL" ...\n    `],
    ['a IS NOT 1', `${ending} " <DECIMAL_LITERAL> "1 "" at line 1, column 10.\nWas expecting:\n    "NULL" ...\n    `],
    [
      'a NOT NULL',
      `${ending} " "NOT" "NOT "" at line 1, column 3.\nWas expecting one of:\n    "BETWEEN" ...\n    "IN" ...`,
    ],
    ['a > +', `${ending} " "+" "+ "" at line 1, column 5.\nWas expecting one of:\n    "NOT" ...\n    "TRUE" ...`],
    ['a > + (b = ) OR', `${ending} " "+" "+ "" at line 1, column 5.`],
    ['1 OR <', `${ending} " "<" "< "" at line 1, column 6.`],
    ['a IS TRUE', `${ending} " "TRUE" "TRUE "" at line 1, column 6.`],
    ['a == 1', `${ending} " "=" "= "" at line 1, column 4.`],
    [
      'a IN (1,2)',
      `${ending} " <DECIMAL_LITERAL> "1 "" at line 1, column 7.\nWas expecting:\n    <STRING_LITERAL> ...\n    `,
    ],
    [
      "a IN ('x' 'y')",
      `${ending} " <STRING_LITERAL> "\\'y\\' "" at line 1, column 11.\nWas expecting one of:\n    "," ...\n    ")" ...\n    `,
    ],
    ['a IN ()', `${ending} " ")" ") ""`],
    ['a CONTAINS b', `${ending} " <ID> "b ""`],
    ['(a LIKE 1)', `${ending} " <ID> "LIKE "" at line 1, column 4.`],
    ['(a = 1', `${ending} "<EOF>" at line 1, column 6.`],
    ['a BETWEEN 1 OR 2', `${ending} " "OR" "OR "" at line 1, column 13.\nWas expecting:\n    "AND" ...\n    `],
    ['a\t= = 1', `${ending} " "=" "= "" at line 1, column 11.`],
    ['1', 'org.apache.rocketmq.filter.parser.ParseException: Expression will not result in a boolean value: 1'],
    ["NOT 'x'", "org.apache.rocketmq.filter.parser.ParseException: Expression will not result in a boolean value: 'x'"],
    [
      '1.50e1 AND a',
      'org.apache.rocketmq.filter.parser.ParseException: Expression will not result in a boolean value: 15.0',
    ],
    ['-a', 'org.apache.rocketmq.filter.parser.ParseException: Expression will not result in a boolean value: (- a)'],
    [
      'a != 1',
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 3.  Encountered: "!" (33), after : ""',
    ],
    [
      'a && b',
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 3.  Encountered: "&" (38), after : ""',
    ],
    [
      'a = "x"',
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 5.  Encountered: "\\"" (34), after : ""',
    ],
    [
      "a.b = 'x'",
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 3.  Encountered: "b" (98), after : "."',
    ],
    [
      'a = 1 ; ',
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 7.  Encountered: ";" (59), after : ""',
    ],
    [
      "a = 'x",
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 7.  Encountered: <EOF> after : "\\\'x"',
    ],
    [
      'é = 1',
      'org.apache.rocketmq.filter.parser.TokenMgrError: Lexical error at line 1, column 1.  Encountered: "\\u00e9" (233), after : ""',
    ],
    ["a > 'x'", "java.lang.RuntimeException: Value ''x'' cannot be compared."],
    ['a > TRUE', "java.lang.RuntimeException: Value 'TRUE' cannot be compared."],
    ['a > NULL', "java.lang.RuntimeException: Value 'NULL' cannot be compared."],
    ["a BETWEEN 'x' AND 'y'", "java.lang.RuntimeException: Value ''x'' cannot be compared."],
    ['a > 1 > 2', "java.lang.RuntimeException: Value '(a > 1)' cannot be compared."],
    [
      "(a = 1 OR b IN ('x','y') AND NOT c CONTAINS 'z' AND TRUE) > 1",
      "java.lang.RuntimeException: Value '((a == 1) || ((b IN ( x, y ) && (CONTAINS (NOT c))) && TRUE))' cannot be compared.",
    ],
    ['a = NULL', "java.lang.RuntimeException: 'NULL' cannot be compared."],
    ['TRUE = 1', "java.lang.RuntimeException: 'TRUE' cannot be compared with '1'"],
    [
      'a BETWEEN 5 AND 1',
      'java.lang.RuntimeException: Illegal values of between, left value(5) must less than or equal to right value(1)',
    ],
    [
      'a BETWEEN 1e10 AND 1.5',
      'java.lang.RuntimeException: Illegal values of between, left value(1.0E10) must less than or equal to right value(1.5)',
    ],
    [
      'a BETWEEN 9 AND TRUE',
      'java.lang.RuntimeException: Illegal values of between, left value(9) must less than or equal to right value(true)',
    ],
    ["a BETWEEN 'x' AND 5", 'java.lang.RuntimeException: java.lang.NumberFormatException: For input string: "x"'],
    ["a BETWEEN .5 AND ' '", 'java.lang.RuntimeException: java.lang.NumberFormatException: empty String'],
    ['a BETWEEN NULL AND 5', 'java.lang.RuntimeException: Illegal values of between, values can not be null!'],
    [
      "-(a IN ('ü', 'x', 'c', 'x', 'ü'))",
      'org.apache.rocketmq.filter.parser.ParseException: Expression will not result in a boolean value: (- a IN ( c, x, ü ))',
    ],
    ["1 IN ('1')", 'java.lang.RuntimeException: Expected a property for In expression, got: 1'],
    ['a = 9223372036854775808', 'java.lang.NumberFormatException: For input string: "9223372036854775808"'],
    ['a = 0.0', 'java.lang.RuntimeException: 0.0 is less than 4.9E-324'],
    ['a = 1e999', 'java.lang.RuntimeException: 1e999 is greater than 1.7976931348623157E308'],
  ])('%j', (expression, message) => {
    expect(refusal(expression).slice(0, message.length)).toBe(message)
    if (!message.startsWith(ending)) expect(refusal(expression)).toBe(message)
  })

  test('nesting beyond reason is refused, a long chain is not', () => {
    expect(refusal(`${'('.repeat(100_000)}a`)).toBe('java.lang.StackOverflowError')
    expect(refusal(`a ${'= 1 '.repeat(100_000)}`)).toBe('java.lang.StackOverflowError')
    expect(refusal(`${'NOT '.repeat(100_000)}a`)).toBe('java.lang.StackOverflowError')
    expect(matches(`${'a = 1 OR '.repeat(50_000)} a = 2`, { a: '2' })).toBe(true)
    expect(matches(`${'a = 2 AND '.repeat(50_000)} a = 2`, { a: '2' })).toBe(true)
  })
})
