export type ComparedPart = 'log' | 'queues' | 'index' | 'checkpoint' | 'config'
export const COMPARED_PARTS: readonly ComparedPart[] = ['log', 'queues', 'index', 'checkpoint', 'config']

export interface Difference {
  readonly part: ComparedPart
  /** Position in the log, queue, item number, or path in a file. */
  readonly where: string
  /** What each store has there; absent when it has nothing. */
  readonly a?: string
  readonly b?: string
}

/** The first differences in detail, all of them counted. */
export class DifferenceList {
  readonly differences: Difference[] = []
  readonly counts = new Map<ComparedPart, number>()

  constructor(private readonly limit: number) {}

  add(part: ComparedPart, where: string, a: string | undefined, b: string | undefined): void {
    this.counts.set(part, (this.counts.get(part) ?? 0) + 1)
    if (this.differences.length >= this.limit) return
    this.differences.push({ part, where, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })
  }

  get count(): number {
    let total = 0
    for (const count of this.counts.values()) total += count
    return total
  }
}
