import { FilterCompileError } from '../filter-compile-error.js'
import { type BooleanExpression, condition, type Expression, evaluationFailure, type SqlValue } from './expression.js'
import {
  compareDoubles,
  javaDoubleToString,
  parseJavaDouble,
  parseJavaInt,
  parseJavaLong,
  trimControls,
} from './java-number.js'
import { and, or } from './logic.js'
import { NULL, not } from './operands.js'

/** Comparisons, with the conversions Java makes between the types of both sides (broker-behaviour 8.2). */

/** Negative, 0 or positive; throws evaluationFailure where Java throws. */
type Comparator = (left: SqlValue, right: SqlValue) => number

type Kind = 'text' | 'int' | 'long' | 'double' | 'boolean'

function kindOf(expression: Expression): Kind | undefined {
  if (expression.type === 'property' || expression.type === 'string') return 'text'
  return expression.type === 'null' ? undefined : expression.type
}

function fail(): never {
  throw evaluationFailure
}

const toInt = (value: SqlValue): number => parseJavaInt(value as string) ?? fail()
const toLong = (value: SqlValue): bigint => parseJavaLong(value as string) ?? fail()
const toDouble = (value: SqlValue): number => parseJavaDouble(value as string) ?? fail()
const toBoolean = (value: SqlValue): boolean => (value as string).toLowerCase() === 'true'

function compareSimple<T extends string | number | bigint | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const compareInts: Comparator = (a, b) => compareSimple(a as number, b as number)
const compareMixed: Comparator = (a, b) => compareSimple(BigInt(a as number), BigInt(b as number))
const asDoubles: Comparator = (a, b) => compareDoubles(Number(a), Number(b))
const unequal: Comparator = () => -1

/** By the kinds of the left and the right side. */
const comparators: Readonly<Record<Kind, Readonly<Record<Kind, Comparator>>>> = {
  int: {
    int: compareInts,
    long: compareMixed,
    double: asDoubles,
    text: (a, b) => compareInts(a, toInt(b)),
    boolean: unequal,
  },
  long: {
    int: compareMixed,
    long: compareMixed,
    double: asDoubles,
    text: (a, b) => compareSimple(a as bigint, toLong(b)),
    boolean: unequal,
  },
  double: {
    int: asDoubles,
    long: asDoubles,
    double: asDoubles,
    text: (a, b) => compareDoubles(a as number, toDouble(b)),
    boolean: unequal,
  },
  text: {
    int: (a, b) => compareInts(toInt(a), b),
    long: (a, b) => compareSimple(toLong(a), b as bigint),
    double: (a, b) => compareDoubles(toDouble(a), b as number),
    text: (a, b) => compareSimple(a as string, b as string),
    boolean: (a, b) => compareSimple(toBoolean(a), b as boolean),
  },
  boolean: {
    int: unequal,
    long: unequal,
    double: unequal,
    // a slip of Java's: it converts the wrong side, which fails
    text: fail,
    boolean: (a, b) => compareSimple(a as boolean, b as boolean),
  },
}

/** Undefined when one side is always NULL. */
function comparatorOf(left: Expression, right: Expression): Comparator | undefined {
  const leftKind = kindOf(left)
  const rightKind = kindOf(right)
  return leftKind && rightKind && comparators[leftKind][rightKind]
}

function refuse(text: string): never {
  throw new FilterCompileError('java.lang.RuntimeException', text)
}

function depthOf(left: Expression, right: Expression): number {
  return Math.max(left.depth, right.depth) + 1
}

/** Equality of two sides; a NULL on the left gives NULL, on the right FALSE, on both TRUE. */
function same(left: Expression, right: Expression): BooleanExpression {
  const compare = comparatorOf(left, right)
  // which of two texts is first takes longer to tell than whether they are the same
  const areTexts = kindOf(left) === 'text' && kindOf(right) === 'text'
  return condition(
    depthOf(left, right),
    lookup => {
      const a = left.evaluate(lookup)
      const b = right.evaluate(lookup)
      if (a === null) return b === null ? true : null
      if (b === null) return false
      if (areTexts) return a === b
      return compare !== undefined && compare(a, b) === 0
    },
    () => `(${left} == ${right})`,
  )
}

function checkEqualOperands(left: Expression, right: Expression): void {
  for (const side of [left, right]) if (side === NULL) refuse(`'${side}' cannot be compared.`)
  if (left.isConstant && right.isConstant && left.isBoolean && !right.isBoolean) {
    refuse(`'${left}' cannot be compared with '${right}'`)
  }
}

export function equal(left: Expression, right: Expression): BooleanExpression {
  checkEqualOperands(left, right)
  return same(left, right)
}

export function notEqual(left: Expression, right: Expression): BooleanExpression {
  return not(equal(left, right))
}

export function isNull(operand: Expression): BooleanExpression {
  return same(operand, NULL)
}

export function isNotNull(operand: Expression): BooleanExpression {
  return not(same(operand, NULL))
}

export type OrderSymbol = '>' | '>=' | '<' | '<='

const answers: Readonly<Record<OrderSymbol, (order: number) => boolean>> = {
  '>': order => order > 0,
  '>=': order => order >= 0,
  '<': order => order < 0,
  '<=': order => order <= 0,
}

/** Texts have an order only as numbers. */
const compareTextsAsDoubles: Comparator = (a, b) => compareDoubles(toDouble(a), toDouble(b))

export function ordered(symbol: OrderSymbol, left: Expression, right: Expression): BooleanExpression {
  for (const side of [left, right]) {
    const isComparable = side.isConstant ? isNumber(side) : !side.isBoolean
    if (!isComparable) refuse(`Value '${side}' cannot be compared.`)
  }
  const areTexts = kindOf(left) === 'text' && kindOf(right) === 'text'
  const compare = areTexts ? compareTextsAsDoubles : comparatorOf(left, right)
  const holds = answers[symbol]
  return condition(
    depthOf(left, right),
    lookup => {
      const a = left.evaluate(lookup)
      if (a === null) return null
      const b = right.evaluate(lookup)
      return b === null || compare === undefined ? null : holds(compare(a, b))
    },
    () => `(${left} ${symbol} ${right})`,
  )
}

function isNumber(expression: Expression): boolean {
  return expression.type === 'int' || expression.type === 'long' || expression.type === 'double'
}

export function between(value: Expression, low: Expression, high: Expression): BooleanExpression {
  if (low.isConstant && high.isConstant) checkBounds(low, high)
  return and(ordered('>=', value, low), ordered('<=', value, high))
}

export function notBetween(value: Expression, low: Expression, high: Expression): BooleanExpression {
  return or(ordered('<', value, low), ordered('>', value, high))
}

function checkBounds(low: Expression, high: Expression): void {
  if (low === NULL || high === NULL) refuse('Illegal values of between, values can not be null!')
  if (compareBounds(low, high) >= 0) return
  refuse(`Illegal values of between, left value(${plain(low)}) must less than or equal to right value(${plain(high)})`)
}

function compareBounds(low: Expression, high: Expression): number {
  const compare = comparatorOf(high, low)!
  try {
    return compare(constantValue(high), constantValue(low))
  } catch (error) {
    if (error !== evaluationFailure) throw error
    if (high.type === 'boolean') {
      throw new FilterCompileError(
        'java.lang.ClassCastException',
        'java.lang.Boolean cannot be cast to java.lang.String',
      )
    }
    const text = String(constantValue(high.type === 'string' ? high : low))
    return refuse(`java.lang.NumberFormatException: ${numberFailure(text, [low.type, high.type].includes('double'))}`)
  }
}

/** What `Double.valueOf` and `Integer.valueOf` say of a text that is no number. */
function numberFailure(text: string, isDouble: boolean): string {
  const shown = isDouble ? trimControls(text) : text
  return isDouble && shown === '' ? 'empty String' : `For input string: "${shown}"`
}

function constantValue(expression: Expression): SqlValue {
  return expression.evaluate(() => null)
}

/** A literal's value as Java's `%s` prints it. */
function plain(expression: Expression): string {
  const value = constantValue(expression)
  return expression.type === 'double' ? javaDoubleToString(value as number) : String(value)
}
