import { type BooleanExpression, isEvaluationFailure, type PropertyLookup } from './expression.js'
import { operandsOf } from './logic.js'

/** Why a message does not match: one line per condition that is not TRUE, with the properties it looked at. */
export function explainMismatch(expression: BooleanExpression, lookup: PropertyLookup): string[] {
  const operands = operandsOf(expression)
  if (operands !== undefined) return operands.flatMap(operand => explainMismatch(operand, lookup))
  const seen = new Map<string, string | undefined>()
  const outcome = outcomeOf(expression, name => {
    const value = lookup(name) ?? undefined
    seen.set(name, value)
    return value
  })
  if (outcome === 'TRUE') return []
  const properties = Array.from(seen, ([name, value]) => `${name} is ${value === undefined ? 'missing' : `'${value}'`}`)
  const reason = properties.length === 0 ? '' : `: ${properties.join(', ')}`
  return [`${expression} ${outcome}${reason}`]
}

function outcomeOf(expression: BooleanExpression, lookup: PropertyLookup): string {
  try {
    const value = expression.evaluate(lookup)
    return value === true ? 'TRUE' : value === null ? 'is NULL' : 'is FALSE'
  } catch (error) {
    if (isEvaluationFailure(error)) return 'cannot be evaluated'
    throw error
  }
}
