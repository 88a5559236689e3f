import { javaHash } from '../../../util/index.js'
import { FilterCompileError } from '../filter-compile-error.js'
import { type BooleanExpression, condition, type Expression } from './expression.js'

/** Operators on texts: IN, CONTAINS, STARTSWITH, ENDSWITH. */

/** With so many texts Java keeps them in a HashSet, and messages show them in its order. */
const FIRST_HASHED = 5
const SMALLEST_TABLE = 16
const LOAD_FACTOR = 0.75

/** Exact membership; a missing property gives NULL. */
export function inList(operand: Expression, texts: readonly string[], isNegated: boolean): BooleanExpression {
  if (operand.type !== 'property') {
    throw new FilterCompileError('java.lang.RuntimeException', `Expected a property for In expression, got: ${operand}`)
  }
  const members = new Set(texts)
  return condition(
    1,
    lookup => {
      const value = operand.evaluate(lookup)
      return value === null ? null : members.has(value as string) !== isNegated
    },
    () => `${operand} ${isNegated ? 'NOT IN' : 'IN'} ( ${shownTexts(texts).join(', ')} )`,
  )
}

function shownTexts(texts: readonly string[]): readonly string[] {
  if (texts.length < FIRST_HASHED) return texts
  let buckets = SMALLEST_TABLE
  while (buckets < Math.floor(texts.length / LOAD_FACTOR) + 1) buckets *= 2
  const bucketOf = (text: string): number => {
    const hash = javaHash(text)
    return (hash ^ (hash >>> 16)) & (buckets - 1)
  }
  return [...new Set(texts)].sort((a, b) => bucketOf(a) - bucketOf(b))
}

export type TextOperator = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH'

const tests: Readonly<Record<TextOperator, (text: string, search: string) => boolean>> = {
  CONTAINS: (text, search) => text.includes(search),
  STARTSWITH: (text, search) => text.startsWith(search),
  ENDSWITH: (text, search) => text.endsWith(search),
}

export interface TextMatch {
  operator: TextOperator
  operand: Expression
  search: string
  isNegated: boolean
}

/** Case-sensitive. A missing property and an empty search text give FALSE, negated or not. */
export function textMatch({ operator, operand, search, isNegated }: TextMatch): BooleanExpression {
  const test = tests[operator]
  const symbol = isNegated ? `NOT ${operator}` : operator
  return condition(
    operand.depth + 1,
    lookup => {
      if (search === '') return false
      const value = operand.evaluate(lookup)
      return typeof value === 'string' && test(value, search) !== isNegated
    },
    () => `(${symbol} ${operand})`,
  )
}
