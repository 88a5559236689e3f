import { FilterCompileError } from '../filter-compile-error.js'
import { escapeText, type Token, type TokenKind } from './token.js'

const TAB_SIZE = 8

// A line comment without its line end is two minus signs: so says the grammar.
const skipped = /(?:[ \t\n\r\f]+|--[^\n\r]*(?:\r\n|\n|\r)|\/\*[\s\S]*?\*\/)*/y
const float = /(?:\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)/y
const decimal = /0|[1-9]\d*[lL]?/y
const string = /'(?:''|[^'])*'/y
const word = /[A-Za-z_$][A-Za-z0-9_$]*/y
const symbol = /<>|<=|>=|[=<>(),+-]/y

const keywords: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['NOT', '"NOT"'],
  ['AND', '"AND"'],
  ['OR', '"OR"'],
  ['BETWEEN', '"BETWEEN"'],
  ['IN', '"IN"'],
  ['TRUE', '"TRUE"'],
  ['FALSE', '"FALSE"'],
  ['NULL', '"NULL"'],
  ['IS', '"IS"'],
  ['CONTAINS', '"CONTAINS"'],
  ['STARTSWITH', '"STARTSWITH"'],
  ['ENDSWITH', '"ENDSWITH"'],
])

const symbols: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ['=', '"="'],
  ['<>', '"<>"'],
  ['>', '">"'],
  ['>=', '">="'],
  ['<', '"<"'],
  ['<=', '"<="'],
  ['(', '"("'],
  [',', '","'],
  [')', '")"'],
  ['+', '"+"'],
  ['-', '"-"'],
])

/** 1-based; 0 and 0 in an empty text. */
interface Position {
  line: number
  column: number
}

/**
 * Reads tokens one at a time and only when asked: what follows the expression is never looked at beyond one token, and
 * so may be anything.
 */
export class Lexer {
  private at = 0

  constructor(private readonly text: string) {}

  /** Throws {@link FilterCompileError} in the words of Java's TokenMgrError. */
  next(): Token {
    this.match(skipped)
    const start = this.at
    if (start === this.text.length) return { kind: '<EOF>', image: '', start }
    const [kind, image] = this.read()
    return { kind, image, start }
  }

  /** Where Java says a token is: the end is at the last character. */
  positionOf(token: Token): Position {
    return this.position(Math.min(token.start, this.text.length - 1))
  }

  private read(): [TokenKind, string] {
    const number = this.match(float)
    if (number !== undefined) return ['<FLOATING_POINT_LITERAL>', number]
    const integer = this.match(decimal)
    if (integer !== undefined) return ['<DECIMAL_LITERAL>', integer]
    const name = this.match(word)
    if (name !== undefined) return [keywords.get(name.toUpperCase()) ?? '<ID>', name]
    const literal = this.match(string)
    if (literal !== undefined) return ['<STRING_LITERAL>', literal]
    const sign = this.match(symbol)
    if (sign !== undefined) return [symbols.get(sign)!, sign]
    throw this.lexicalError()
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (match === null) return undefined
    this.at = pattern.lastIndex
    return match[0]
  }

  private lexicalError(): FilterCompileError {
    const start = this.at
    const bad = start + this.viableLength()
    const last = this.text.length - 1
    if (bad >= last) {
      // Java names what it has read when that is more than one character
      const after = this.text.length - start <= 1 ? '' : this.text.slice(start)
      const { line, column } = this.position(last)
      const isLineEnd = /[\n\r]$/.test(this.text)
      return lexicalError(isLineEnd ? { line: line + 1, column: 0 } : { line, column: column + 1 }, '<EOF> ', after)
    }
    const c = this.text[bad]!
    const found = `"${escapeText(c)}" (${c.charCodeAt(0)}), `
    return lexicalError(this.position(bad), found, this.text.slice(start, bad))
  }

  /** How many characters could still have become a token: an open string or comment, `/`, a dot. */
  private viableLength(): number {
    const first = this.text[this.at]
    if (first === "'" || this.text.startsWith('/*', this.at)) return this.text.length - this.at
    return first === '/' || first === '.' ? 1 : 0
  }

  /** Of the character at `index`. A tab goes to the next multiple of 8. */
  private position(index: number): Position {
    if (index < 0) return { line: 0, column: 0 }
    let line = 1
    let column = 0
    for (let i = 0; i <= index; i++) {
      const before = this.text[i - 1]
      if (before === '\n' || (before === '\r' && this.text[i] !== '\n')) {
        line++
        column = 0
      }
      column++
      if (this.text[i] === '\t') column += TAB_SIZE - 1 - ((column - 1) % TAB_SIZE)
    }
    return { line, column }
  }
}

function lexicalError(position: Position, found: string, after: string): FilterCompileError {
  return new FilterCompileError(
    'org.apache.rocketmq.filter.parser.TokenMgrError',
    `Lexical error at line ${position.line}, column ${position.column}.  ` +
      `Encountered: ${found}after : "${escapeText(after)}"`,
  )
}
