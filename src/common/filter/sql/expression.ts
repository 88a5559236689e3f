/** The value of a property, or undefined (or null) when the message has none. */
export type PropertyLookup = (name: string) => string | null | undefined

/** Integer as number, Long as bigint, Double as number; which of them, the expression's type says. */
export type SqlValue = null | boolean | string | number | bigint

/** Known when an expression is compiled: only `null` comes on top of it. */
export type SqlType = 'property' | 'string' | 'int' | 'long' | 'double' | 'boolean' | 'null'

export interface Expression {
  readonly type: SqlType
  /** A literal, whose value it gives without a message. */
  readonly isConstant: boolean
  /** What may be a condition: TRUE, FALSE, NULL, and whatever compares or combines. */
  readonly isBoolean: boolean
  /** Levels of expressions below. */
  readonly depth: number
  /** Throws {@link evaluationFailure} where Java throws. */
  evaluate(lookup: PropertyLookup): SqlValue
  /** As Java prints it in messages. */
  toString(): string
}

export interface BooleanExpression extends Expression {
  readonly isBoolean: true
  evaluate(lookup: PropertyLookup): boolean | null
}

export function isBooleanExpression(expression: Expression): expression is BooleanExpression {
  return expression.isBoolean
}

/** A property that cannot be compared as it must be, such as `abc` with 5. */
class EvaluationFailure extends Error {}

/** One for all: a stack for every message that does not fit would cost more than the filter itself. */
export const evaluationFailure: Error = new EvaluationFailure('the property cannot be compared')

export function isEvaluationFailure(error: unknown): boolean {
  return error instanceof EvaluationFailure
}

/** Builds a condition. */
export function condition(
  depth: number,
  evaluate: (lookup: PropertyLookup) => boolean | null,
  print: () => string,
): BooleanExpression {
  return { type: 'boolean', isConstant: false, isBoolean: true, depth, evaluate, toString: print }
}
