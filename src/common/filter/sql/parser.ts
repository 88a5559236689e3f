import { FilterCompileError } from '../filter-compile-error.js'
import { between, equal, isNotNull, isNull, notBetween, notEqual, type OrderSymbol, ordered } from './comparison.js'
import type { BooleanExpression, Expression } from './expression.js'
import { Lexer } from './lexer.js'
import { and, or } from './logic.js'
import { Lookahead } from './lookahead.js'
import * as operands from './operands.js'
import { inList, type TextOperator, textMatch } from './text-match.js'
import { escapeText, type Token, type TokenKind, tokenKinds } from './token.js'

/*
 * or    := and ( OR and )*
 * and   := eq ( AND eq )*
 * eq    := cmp ( '=' cmp | '<>' cmp | IS NULL | IS NOT NULL )*
 * cmp   := unary ( order unary | [NOT] BETWEEN unary AND unary | [NOT] IN '(' str (',' str)* ')' | [NOT] textop str )*
 * unary := NOT unary | '+' unary | '-' unary | literal | identifier | '(' or ')'
 *
 * What follows a complete expression is ignored, as Java ignores it: only the next token has to be one.
 */

/** Deeper than any real expression; Java's stack ends somewhere there too. */
const MAX_DEPTH = 1000

const orders = ['>', '>=', '<', '<='] as const satisfies readonly OrderSymbol[]
const orderOf: ReadonlyMap<TokenKind, OrderSymbol> = new Map(
  orders.map((symbol): [TokenKind, OrderSymbol] => [`"${symbol}"`, symbol]),
)
const textOperatorOf: ReadonlyMap<TokenKind, TextOperator> = new Map<TokenKind, TextOperator>([
  ['"CONTAINS"', 'CONTAINS'],
  ['"STARTSWITH"', 'STARTSWITH'],
  ['"ENDSWITH"', 'ENDSWITH'],
])

/** What may follow NOT behind an operand, in the order of Java's messages. */
const negatable: readonly TokenKind[] = ['"CONTAINS"', '"STARTSWITH"', '"ENDSWITH"', '"BETWEEN"', '"IN"']
const comparing: readonly TokenKind[] = [...orderOf.keys(), ...negatable]
const operandStart: readonly TokenKind[] = [
  '"NOT"',
  '"TRUE"',
  '"FALSE"',
  '"NULL"',
  '<DECIMAL_LITERAL>',
  '<FLOATING_POINT_LITERAL>',
  '<STRING_LITERAL>',
  '<ID>',
  '"("',
  '"-"',
]

const literals: ReadonlyMap<TokenKind, (image: string) => Expression> = new Map<
  TokenKind,
  (image: string) => Expression
>([
  ['<STRING_LITERAL>', operands.stringConstant],
  ['<DECIMAL_LITERAL>', operands.decimalConstant],
  ['<FLOATING_POINT_LITERAL>', operands.floatConstant],
  ['<ID>', operands.property],
  ['"TRUE"', () => operands.TRUE],
  ['"FALSE"', () => operands.FALSE],
  ['"NULL"', () => operands.NULL],
])

/** Parses an SQL92 filter. Throws FilterCompileError with the text Java answers. */
export function parseSql(text: string): BooleanExpression {
  return new Parser(text).parse()
}

class Parser {
  private readonly lexer: Lexer
  /** Tokens read ahead: no more than the grammar needs, since what comes later may be anything. */
  private readonly ahead: Token[] = []
  /** Tokens that could have continued the expression at the present place; named when it cannot end here. */
  private readonly passedOver = new Set<TokenKind>()
  private nesting = 0
  /** Tokens taken so far, and up to where a look ahead has found the form right. */
  private taken = 0
  private lookedAheadTo = 0

  constructor(text: string) {
    this.lexer = new Lexer(text)
  }

  parse(): BooleanExpression {
    return operands.asBoolean(this.or())
  }

  private or(): Expression {
    let left = this.and()
    while (this.takes('"OR"')) {
      // what is on the right is read before the left is judged
      const right = this.and()
      left = this.checked(or(operands.asBoolean(left), operands.asBoolean(right)))
    }
    return left
  }

  private and(): Expression {
    let left = this.equality()
    while (this.takes('"AND"')) {
      const right = this.equality()
      left = this.checked(and(operands.asBoolean(left), operands.asBoolean(right)))
    }
    return left
  }

  private equality(): Expression {
    let left = this.comparison()
    for (;;) {
      if (this.takes('"IS"')) left = this.isNull(left)
      else if (this.takes('"="')) left = equal(left, this.comparison())
      else if (this.takes('"<>"')) left = notEqual(left, this.comparison())
      else return left
      this.checked(left)
    }
  }

  private isNull(left: Expression): Expression {
    if (this.takes('"NULL"')) return isNull(left)
    if (!this.takes('"NOT"')) throw this.unexpected(['"NOT"', '"NULL"'])
    this.expect('"NULL"')
    return isNotNull(left)
  }

  private comparison(): Expression {
    let left = this.unary()
    for (;;) {
      const next = this.compare(left)
      if (next === undefined) return left
      left = this.checked(next)
    }
  }

  private compare(left: Expression): Expression | undefined {
    const order = orderOf.get(this.peek().kind)
    if (order !== undefined) {
      this.take()
      return ordered(order, left, this.unary())
    }
    const isNegated = this.peek().kind === '"NOT"'
    const operator = this.peek(isNegated ? 1 : 0).kind
    if (!negatable.includes(operator)) {
      if (isNegated) throw this.unexpected(sorted(comparing))
      for (const kind of ['"NOT"', ...comparing] as const) this.passedOver.add(kind)
      return undefined
    }
    if (isNegated) this.take()
    this.take()
    if (operator === '"BETWEEN"') return this.between(left, isNegated)
    if (operator === '"IN"') return inList(left, this.stringList(), isNegated)
    const search = this.string()
    return textMatch({ operator: textOperatorOf.get(operator)!, operand: left, search, isNegated })
  }

  private between(value: Expression, isNegated: boolean): Expression {
    const low = this.unary()
    this.expect('"AND"')
    const high = this.unary()
    return isNegated ? notBetween(value, low, high) : between(value, low, high)
  }

  private stringList(): string[] {
    this.expect('"("')
    const texts = [this.string()]
    while (this.takes('","')) texts.push(this.string())
    this.expect('")"')
    return texts
  }

  private string(): string {
    return operands.unquote(this.expect('<STRING_LITERAL>').image)
  }

  private unary(): Expression {
    if (++this.nesting > MAX_DEPTH) throw stackOverflow()
    const expression = this.unaryOrPrimary()
    this.nesting--
    return expression
  }

  private unaryOrPrimary(): Expression {
    if (this.peek().kind === '"+"') return this.plus()
    if (this.takes('"-"')) return this.checked(operands.negate(this.unary()))
    if (this.takes('"NOT"')) return this.checked(operands.not(operands.asBoolean(this.unary())))
    if (this.takes('"("')) {
      const inner = this.or()
      this.expect('")"')
      return inner
    }
    const literal = literals.get(this.peek().kind)
    if (literal === undefined) throw this.unexpected([...operandStart, '"+"'])
    return literal(this.take().image)
  }

  private plus(): Expression {
    if (this.taken >= this.lookedAheadTo) {
      const lookahead = new Lookahead(distance => this.peek(distance).kind, MAX_DEPTH, stackOverflow)
      const end = lookahead.unary(1)
      if (end === -1) throw this.unexpected(operandStart)
      this.lookedAheadTo = this.taken + end
    }
    this.take()
    return this.unary()
  }

  private checked<E extends Expression>(expression: E): E {
    if (expression.depth > MAX_DEPTH) throw stackOverflow()
    return expression
  }

  private peek(distance = 0): Token {
    while (this.ahead.length <= distance) this.ahead.push(this.lexer.next())
    return this.ahead[distance]!
  }

  private take(): Token {
    const token = this.peek()
    this.ahead.shift()
    this.taken++
    this.passedOver.clear()
    return token
  }

  private takes(kind: TokenKind): boolean {
    if (this.peek().kind === kind) {
      this.take()
      return true
    }
    this.passedOver.add(kind)
    return false
  }

  private expect(kind: TokenKind): Token {
    if (this.peek().kind === kind) return this.take()
    throw this.unexpected(sorted([...this.passedOver, kind]))
  }

  /** Java's words for a token that cannot stand here; `expected`: those that could. */
  private unexpected(expected: readonly TokenKind[]): FilterCompileError {
    const token = this.peek()
    const found = token.kind === '<EOF>' ? '<EOF>' : ` ${token.kind} "${escapeText(token.image)} "`
    const { line, column } = this.lexer.positionOf(token)
    const wanted = expected.map(kind => `${kind} ...\n    `).join('')
    return new FilterCompileError(
      'org.apache.rocketmq.filter.parser.ParseException',
      `Encountered "${found}" at line ${line}, column ${column}.\n` +
        `Was expecting${expected.length === 1 ? '' : ' one of'}:\n    ${wanted}`,
    )
  }
}

function sorted(kinds: readonly TokenKind[]): TokenKind[] {
  return tokenKinds.filter(kind => kinds.includes(kind))
}

function stackOverflow(): FilterCompileError {
  return new FilterCompileError('java.lang.StackOverflowError')
}
