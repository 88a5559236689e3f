import { responseCodeName } from './response-code.js'

/** The answer to a peer, thrown: `code` of the response and its `remark`, which says what to do next. */
export class ResponseError extends Error {
  readonly code: number
  readonly remark: string

  constructor(code: number, remark: string, options?: { cause?: unknown }) {
    super(`CODE: ${code} (${responseCodeName(code)}) DESC: ${remark}`, options)
    this.name = 'ResponseError'
    this.code = code
    this.remark = remark
  }
}
