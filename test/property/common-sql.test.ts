import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FilterCompileError, SqlFilter } from '../../src/common/index.js'

/** An expression and, apart from the code under test, what it means. */
interface Case {
  text: string
  evaluate(properties: Properties): boolean | null
}
type Properties = Readonly<Record<string, string | undefined>>

/** What Java throws while it evaluates; the message is then not delivered. */
class JavaThrows extends Error {}

const names = ['a', 'b', 'Color', '$x_1']
const strings = ['', 'x', 'abc', "it's", 'ü', 'true', 'TRUE', '1', '-3', '2.5', '1e2', 'NaN', '2147483648', ' 7']

const name = fc.constantFrom(...names)
const string = fc.constantFrom(...strings)
const properties: fc.Arbitrary<Properties> = fc.record(
  Object.fromEntries(names.map(key => [key, fc.option(string, { nil: undefined })])),
)

type Numeric = { text: string; value: number; parse: (text: string) => number }

function integer(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text) || Math.abs(Number(text)) > 2147483647) throw new JavaThrows()
  return Number(text)
}

function long(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text)) throw new JavaThrows()
  return Number(text)
}

function double(text: string): number {
  const trimmed = text.trim()
  if (trimmed === 'NaN') return Number.POSITIVE_INFINITY // above every literal, which is all that counts here
  if (trimmed === '' || Number.isNaN(Number(trimmed))) throw new JavaThrows()
  return Number(trimmed)
}

const number: fc.Arbitrary<Numeric> = fc.oneof(
  fc.integer({ min: -5, max: 120 }).map(value => ({ text: String(value), value, parse: integer })),
  fc.integer({ min: 2147483648, max: 2147483650 }).map(value => ({ text: `${value}L`, value, parse: long })),
  fc.constantFrom(0.5, 1, 2.5, 100).map(value => ({ text: value.toFixed(1), value, parse: double })),
)

const orders: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '<>': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

function ofProperty(key: string, test: (value: string) => boolean | null, ifMissing: boolean | null = null) {
  return (props: Properties): boolean | null => {
    const value = props[key]
    return value === undefined ? ifMissing : test(value)
  }
}

const numberComparison = fc.tuple(name, fc.constantFrom(...Object.keys(orders)), number).map(
  ([key, order, right]): Case => ({
    text: `${key} ${order} ${right.text}`,
    evaluate: ofProperty(key, value => orders[order]!(right.parse(value), right.value)),
  }),
)

const between = fc
  .tuple(name, number, number, fc.boolean())
  .filter(([, low, high]) => low.value <= high.value)
  .map(
    ([key, low, high, isNegated]): Case => ({
      text: `${key} ${isNegated ? 'NOT ' : ''}BETWEEN ${low.text} AND ${high.text}`,
      evaluate: ofProperty(key, value => {
        if (isNegated) return low.parse(value) < low.value || high.parse(value) > high.value
        return low.parse(value) >= low.value && high.parse(value) <= high.value
      }),
    }),
  )

const stringComparison = fc.tuple(name, fc.boolean(), string).map(
  ([key, isEqual, right]): Case => ({
    text: `${key} ${isEqual ? '=' : '<>'} ${quote(right)}`,
    evaluate: ofProperty(key, value => (value === right) === isEqual),
  }),
)

const booleanComparison = fc.tuple(name, fc.boolean()).map(
  ([key, right]): Case => ({
    text: `${key} = ${right ? 'tRUE' : 'FALSE'}`,
    evaluate: ofProperty(key, value => /^true$/i.test(value) === right),
  }),
)

const membership = fc.tuple(name, fc.boolean(), fc.array(string, { minLength: 1, maxLength: 6 })).map(
  ([key, isNegated, list]): Case => ({
    text: `${key} ${isNegated ? 'not ' : ''}in (${list.map(quote).join(',')})`,
    evaluate: ofProperty(key, value => list.includes(value) !== isNegated),
  }),
)

const textMatch = fc.tuple(name, fc.constantFrom('CONTAINS', 'STARTSWITH', 'ENDSWITH'), fc.boolean(), string).map(
  ([key, operator, isNegated, search]): Case => ({
    text: `${key} ${isNegated ? 'NOT ' : ''}${operator} ${quote(search)}`,
    evaluate: ofProperty(
      key,
      value => {
        if (search === '') return false
        const at = operator === 'ENDSWITH' ? value.lastIndexOf(search) : value.indexOf(search)
        const place = operator === 'ENDSWITH' ? value.length - search.length : 0
        const isFound = operator === 'CONTAINS' ? at >= 0 : at >= 0 && at === place
        return isFound !== isNegated
      },
      false,
    ),
  }),
)

const nullTest = fc.tuple(name, fc.boolean()).map(
  ([key, isNegated]): Case => ({
    text: `${key} IS ${isNegated ? 'NOT ' : ''}NULL`,
    evaluate: props => (props[key] === undefined) !== isNegated,
  }),
)

const constant = fc.constantFrom<Case[]>(
  { text: 'TRUE', evaluate: () => true },
  { text: 'FALSE', evaluate: () => false },
  { text: 'NULL', evaluate: () => null },
)

const bare = name.map((key): Case => ({ text: key, evaluate: ofProperty(key, () => false) }))

const leaf = fc.oneof(
  numberComparison,
  between,
  stringComparison,
  booleanComparison,
  membership,
  textMatch,
  nullTest,
  constant,
  bare,
)

/** The tables of three-valued logic, written out. */
function and(left: Case, right: Case): Case['evaluate'] {
  return props => {
    const a = left.evaluate(props)
    if (a === false) return false
    const b = right.evaluate(props)
    if (b === false) return false
    return a === true && b === true ? true : null
  }
}

function or(left: Case, right: Case): Case['evaluate'] {
  return props => {
    const a = left.evaluate(props)
    if (a === true) return true
    const b = right.evaluate(props)
    if (b === true) return true
    return a === false && b === false ? false : null
  }
}

const expression: fc.Arbitrary<Case> = fc.letrec<{ node: Case }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('node'), tie('node'))
      .map(([left, right]): Case => ({ text: `(${left.text}) AND (${right.text})`, evaluate: and(left, right) })),
    fc
      .tuple(tie('node'), tie('node'))
      .map(([left, right]): Case => ({ text: `(${left.text}) OR(${right.text})`, evaluate: or(left, right) })),
    tie('node').map(
      (inner): Case => ({
        text: `NOT (${inner.text})`,
        evaluate: props => {
          const value = inner.evaluate(props)
          return value === null ? null : !value
        },
      }),
    ),
  ),
})).node

function expected(item: Case, props: Properties): boolean {
  try {
    return item.evaluate(props) === true
  } catch (error) {
    if (error instanceof JavaThrows) return false
    throw error
  }
}

describe('SQL92', () => {
  test('matches what an evaluator without compiling says', () => {
    fc.assert(
      fc.property(expression, fc.array(properties, { minLength: 1, maxLength: 5 }), (item, list) => {
        const filter = new SqlFilter(item.text)
        for (const props of list) expect(filter.matches(key => props[key])).toBe(expected(item, props))
      }),
      { numRuns: 3000 },
    )
  })

  test('AND binds tighter than OR, both to the left', () => {
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 3, maxLength: 3 }), properties, ([a, b, c], props) => {
        const filter = new SqlFilter(`${a!.text} OR ${b!.text} AND ${c!.text}`)
        const inner: Case = { text: '', evaluate: and(b!, c!) }
        expect(filter.matches(key => props[key])).toBe(expected({ text: '', evaluate: or(a!, inner) }, props))
      }),
      { numRuns: 1000 },
    )
  })

  test('any text is compiled or refused', () => {
    const words = fc.constantFrom(
      ...[
        'a',
        '1',
        '1.5',
        "'x'",
        '=',
        '<>',
        '<',
        '>=',
        '(',
        ')',
        ',',
        '+',
        '-',
        'NOT',
        'AND',
        'OR',
        'IN',
        'IS',
        'NULL',
      ],
      ...['TRUE', 'BETWEEN', 'CONTAINS', '/*', '*/', '--', "'", '.', '\n', '\t', '9223372036854775808', '😀'],
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words, { maxLength: 20 }).map(list => list.join(' ')),
    )
    fc.assert(
      fc.property(text, properties, (source, props) => {
        try {
          expect(typeof new SqlFilter(source).matches(key => props[key])).toBe('boolean')
        } catch (error) {
          expect(error).toBeInstanceOf(FilterCompileError)
        }
      }),
      { numRuns: 5000 },
    )
  })
})
