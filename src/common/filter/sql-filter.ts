import { RecordProperties } from './record-properties.js'
import {
  type BooleanExpression,
  explainMismatch,
  isEvaluationFailure,
  type PropertyLookup,
  parseSql,
} from './sql/index.js'

/** An SQL92 subscription, compiled once and asked for every message. */
export class SqlFilter {
  private readonly condition: BooleanExpression
  /** Kept from message to message, for it remembers names and values. */
  private readonly properties = new RecordProperties()

  /** Throws FilterCompileError, whose message is the remark of SUBSCRIPTION_PARSE_FAILED. */
  constructor(readonly expression: string) {
    this.condition = parseSql(expression)
  }

  /** Only TRUE matches; a property that cannot be compared as it must be does not. */
  matches(lookup: PropertyLookup): boolean {
    try {
      return this.condition.evaluate(lookup) === true
    } catch (error) {
      if (isEvaluationFailure(error)) return false
      throw error
    }
  }

  /** The same for a properties string as it is stored, in `bytes[from, to)`. */
  matchesBytes(bytes: Buffer, from: number, to: number): boolean {
    return this.matches(this.properties.of(bytes, from, to).get)
  }

  /** For people: the conditions that keep a message from matching; empty when it does. */
  explain(lookup: PropertyLookup): string[] {
    return this.matches(lookup) ? [] : explainMismatch(this.condition, lookup)
  }
}
