import { stringifyFastJson } from '../common/index.js'

/** Where text goes; a promise when it must be waited for before more is written. */
export interface Sink {
  write(text: string): void | Promise<void>
}

/** What a command prints: text for people, or JSON. */
export class Output {
  constructor(
    private readonly sink: Sink,
    readonly isJson: boolean,
  ) {}

  /** Text that is the same with and without JSON. */
  raw(text: string): void | Promise<void> {
    return this.sink.write(text)
  }

  /** A line for people. */
  line(text = ''): void | Promise<void> {
    if (!this.isJson) return this.sink.write(`${text}\n`)
  }

  /** A whole answer, or one of many: one line. */
  json(value: unknown): void | Promise<void> {
    if (this.isJson) return this.sink.write(`${stringifyFastJson(value)}\n`)
  }

  /** Columns: the widths are those of the widest cells. Numbers stand to the right. */
  async table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): Promise<void> {
    if (this.isJson) return
    const widths = head.map((title, i) =>
      rows.reduce((most, row) => Math.max(most, String(row[i]).length), title.length),
    )
    const cell = (value: string | number, i: number): string =>
      typeof value === 'number' ? String(value).padStart(widths[i]!) : value.padEnd(widths[i]!)
    const isNumber = head.map((_, i) => rows.length > 0 && typeof rows[0]![i] === 'number')
    const titles = head.map((title, i) => (isNumber[i] ? title.padStart(widths[i]!) : title.padEnd(widths[i]!)))
    await this.line(titles.join('  ').trimEnd())
    for (const row of rows) await this.line(row.map(cell).join('  ').trimEnd())
  }
}

/** `2026-11-21 09:45:26.118` in UTC; `-` for no time. */
export function timeText(ms: number): string {
  if (ms <= 0 || ms > 8.64e15) return ms === 0 ? '-' : String(ms)
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const power = Math.min(5, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1)} ${'KMGTP'[power - 1]}iB`
}
