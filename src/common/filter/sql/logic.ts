import type { BooleanExpression, PropertyLookup } from './expression.js'

type Symbol = '&&' | '||'

/**
 * AND or OR with three values. Java nests pairs; here a chain is one list, so that a long expression is not a deep one.
 */
class Chain implements BooleanExpression {
  readonly type = 'boolean'
  readonly isConstant = false
  readonly isBoolean = true
  depth = 0
  readonly operands: BooleanExpression[] = []
  private readonly deciding: boolean

  constructor(readonly symbol: Symbol) {
    this.deciding = symbol === '||'
  }

  add(operand: BooleanExpression): this {
    this.operands.push(operand)
    this.depth = Math.max(this.depth, operand.depth + 1)
    return this
  }

  evaluate(lookup: PropertyLookup): boolean | null {
    let result: boolean | null = !this.deciding
    for (const operand of this.operands) {
      const value = operand.evaluate(lookup)
      if (value === this.deciding) return value
      if (value === null) result = null
    }
    return result
  }

  toString(): string {
    return this.operands
      .slice(1)
      .reduce((text, operand) => `(${text} ${this.symbol} ${operand})`, `${this.operands[0]}`)
  }
}

/** FALSE as soon as one is FALSE, else NULL when one is NULL. `left` may be taken over: do not use it afterwards. */
export function and(left: BooleanExpression, right: BooleanExpression): BooleanExpression {
  return chain('&&', left, right)
}

/** TRUE as soon as one is TRUE, else NULL when one is NULL. `left` may be taken over: do not use it afterwards. */
export function or(left: BooleanExpression, right: BooleanExpression): BooleanExpression {
  return chain('||', left, right)
}

/** What an AND or OR combines; undefined for anything else. */
export function operandsOf(expression: BooleanExpression): readonly BooleanExpression[] | undefined {
  return expression instanceof Chain ? expression.operands : undefined
}

function chain(symbol: Symbol, left: BooleanExpression, right: BooleanExpression): BooleanExpression {
  return left instanceof Chain && left.symbol === symbol ? left.add(right) : new Chain(symbol).add(left).add(right)
}
