import { FilterCompileError } from '../filter-compile-error.js'
import { type BooleanExpression, condition, type Expression } from './expression.js'

/** Operators on texts: IN, CONTAINS, STARTSWITH, ENDSWITH. */

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
    () => `${operand} ${isNegated ? 'NOT IN' : 'IN'} ( ${texts.join(', ')} )`,
  )
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
