/**
 * What can go wrong in operation (a full disk, a port in use, a damaged file): a stable `code` to match on, a message
 * that says what to do, and the `cause`. Programmer errors are {@link assert}; answers to a peer are `ResponseError`.
 */
export class MQError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MQError'
    this.code = code
  }
}

/** A programmer's mistake: the state is not what the code relies on. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The text of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
