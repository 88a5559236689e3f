import type { TokenKind } from './token.js'

/** The kind of the token at a distance from the present one. */
type KindAt = (distance: number) => TokenKind

const signs: ReadonlySet<TokenKind> = new Set(['"+"', '"-"', '"NOT"'])
const operands: ReadonlySet<TokenKind> = new Set<TokenKind>([
  '"TRUE"',
  '"FALSE"',
  '"NULL"',
  '<DECIMAL_LITERAL>',
  '<FLOATING_POINT_LITERAL>',
  '<STRING_LITERAL>',
  '<ID>',
])
const orders: ReadonlySet<TokenKind> = new Set(['">"', '">="', '"<"', '"<="'])
const textOperators: ReadonlySet<TokenKind> = new Set(['"CONTAINS"', '"STARTSWITH"', '"ENDSWITH"'])
const equals: ReadonlySet<TokenKind> = new Set(['"="', '"<>"'])

/**
 * Whether tokens have the form of an operand with its signs, without a look at what they mean. Java asks this before it
 * takes a plus: what does not continue as it must is reported at the plus.
 *
 * Each method takes the distance at which its part begins and gives the one behind it, -1 when there is no such part.
 */
export class Lookahead {
  private depth = 0

  constructor(
    private readonly kindAt: KindAt,
    private readonly mostDepth: number,
    private readonly tooDeep: () => Error,
  ) {}

  unary(from: number): number {
    if (++this.depth > this.mostDepth) throw this.tooDeep()
    const end = this.unaryOrPrimary(from)
    this.depth--
    return end
  }

  private unaryOrPrimary(from: number): number {
    const kind = this.kindAt(from)
    if (signs.has(kind)) return this.unary(from + 1)
    if (operands.has(kind)) return from + 1
    if (kind !== '"("') return -1
    const end = this.or(from + 1)
    return end === -1 ? -1 : this.token(end, '")"')
  }

  private or(from: number): number {
    return this.list(from, '"OR"', at => this.and(at))
  }

  private and(from: number): number {
    return this.list(from, '"AND"', at => this.equality(at))
  }

  private equality(from: number): number {
    return this.chain(this.comparison(from), at => {
      const kind = this.kindAt(at)
      if (equals.has(kind)) return this.comparison(at + 1)
      if (kind !== '"IS"') return -1
      return this.token(this.kindAt(at + 1) === '"NOT"' ? at + 2 : at + 1, '"NULL"')
    })
  }

  private comparison(from: number): number {
    return this.chain(this.unary(from), at => {
      if (orders.has(this.kindAt(at))) return this.unary(at + 1)
      const operatorAt = this.kindAt(at) === '"NOT"' ? at + 1 : at
      const operator = this.kindAt(operatorAt)
      if (textOperators.has(operator)) return this.token(operatorAt + 1, '<STRING_LITERAL>')
      if (operator === '"BETWEEN"') return this.between(operatorAt + 1)
      return operator === '"IN"' ? this.strings(operatorAt + 1) : -1
    })
  }

  private between(from: number): number {
    const low = this.unary(from)
    const and = low === -1 ? -1 : this.token(low, '"AND"')
    return and === -1 ? -1 : this.unary(and)
  }

  private strings(from: number): number {
    if (this.kindAt(from) !== '"("') return -1
    const end = this.list(from + 1, '","', at => this.token(at, '<STRING_LITERAL>'))
    return end === -1 ? -1 : this.token(end, '")"')
  }

  private list(from: number, separator: TokenKind, part: (from: number) => number): number {
    return this.chain(part(from), at => (this.kindAt(at) === separator ? part(at + 1) : -1))
  }

  /** As many more parts as there are behind the first. */
  private chain(first: number, more: (from: number) => number): number {
    let end = first
    for (let next = end; next !== -1; next = more(end)) end = next
    return end
  }

  private token(at: number, kind: TokenKind): number {
    return this.kindAt(at) === kind ? at + 1 : -1
  }
}
