import { FilterCompileError } from '../filter-compile-error.js'
import {
  type BooleanExpression,
  condition,
  type Expression,
  isBooleanExpression,
  type SqlType,
  type SqlValue,
} from './expression.js'
import { javaDoubleToString, parseJavaDouble, parseJavaInt, parseJavaLong } from './java-number.js'

/** Literals, properties, and what is done to one of them. */

function constant(type: SqlType, value: SqlValue, text: string): Expression {
  return { type, isConstant: true, isBoolean: false, depth: 0, evaluate: () => value, toString: () => text }
}

function booleanConstant(value: boolean | null, text: string): BooleanExpression {
  const type = value === null ? 'null' : 'boolean'
  return { type, isConstant: true, isBoolean: true, depth: 0, evaluate: () => value, toString: () => text }
}

export const TRUE = booleanConstant(true, 'TRUE')
export const FALSE = booleanConstant(false, 'FALSE')
export const NULL = booleanConstant(null, 'NULL')

/** From a literal with its quotes. */
export function stringConstant(image: string): Expression {
  return constant('string', unquote(image), image)
}

export function unquote(image: string): string {
  return image.slice(1, -1).replaceAll("''", "'")
}

/** An Integer when it fits, else a Long. */
export function decimalConstant(image: string): Expression {
  const digits = image.replace(/[lL]$/, '')
  const int = parseJavaInt(digits)
  if (int !== undefined) return constant('int', int, String(int))
  const long = parseJavaLong(digits)
  if (long !== undefined) return constant('long', long, String(long))
  throw new FilterCompileError('java.lang.NumberFormatException', `For input string: "${digits}"`)
}

export function floatConstant(image: string): Expression {
  const value = parseJavaDouble(image)!
  const problem =
    value > Number.MAX_VALUE
      ? `${image} is greater than ${javaDoubleToString(Number.MAX_VALUE)}`
      : // Java's smallest positive double prints as 4.9E-324, JavaScript's as 5e-324: the same number
        value < Number.MIN_VALUE
        ? `${image} is less than 4.9E-324`
        : undefined
  if (problem !== undefined) throw new FilterCompileError('java.lang.RuntimeException', problem)
  return constant('double', value, javaDoubleToString(value))
}

export function property(name: string): Expression {
  return {
    type: 'property',
    isConstant: false,
    isBoolean: false,
    depth: 0,
    evaluate: lookup => lookup(name) ?? null,
    toString: () => name,
  }
}

/** Unary minus: only numbers have a negative, anything else gives NULL. */
export function negate(operand: Expression): Expression {
  const isNumber = operand.type === 'int' || operand.type === 'long' || operand.type === 'double'
  const value = isNumber ? negative(operand.evaluate(() => null)) : null
  return {
    type: isNumber ? operand.type : 'null',
    isConstant: false,
    isBoolean: false,
    depth: operand.depth + 1,
    evaluate: () => value,
    toString: () => `(- ${operand})`,
  }
}

function negative(value: SqlValue): SqlValue {
  if (typeof value === 'bigint') return -value
  // not -value, which of the integer 0 would be another zero
  return typeof value === 'number' ? 0 - value : null
}

export function not(operand: BooleanExpression): BooleanExpression {
  return condition(
    operand.depth + 1,
    lookup => {
      const value = operand.evaluate(lookup)
      return value === null ? null : !value
    },
    () => `(NOT ${operand})`,
  )
}

/** A condition as it is, a property as "is it TRUE", which no text is; anything else is refused. */
export function asBoolean(expression: Expression): BooleanExpression {
  if (isBooleanExpression(expression)) return expression
  if (expression.type === 'property') {
    return condition(
      1,
      lookup => (expression.evaluate(lookup) === null ? null : false),
      () => expression.toString(),
    )
  }
  throw new FilterCompileError(
    'org.apache.rocketmq.filter.parser.ParseException',
    `Expression will not result in a boolean value: ${expression}`,
  )
}
