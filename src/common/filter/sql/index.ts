export { explainMismatch } from './explain.js'
export { type BooleanExpression, isEvaluationFailure, type PropertyLookup } from './expression.js'
export { parseSql } from './parser.js'
