import { format } from './format.js'

export interface Sink {
  write(text: string): unknown
}

/** What a command prints: text as Java's tool would, unless JSON was asked for, which is printed at the end instead. */
export class Output {
  /** What went wrong or had no effect although Java reports success. */
  readonly problems: string[] = []

  constructor(
    private readonly stdout: Sink,
    private readonly stderr: Sink,
    private readonly mode: { isJson: boolean; isStrict: boolean },
  ) {}

  get isJson(): boolean {
    return this.mode.isJson
  }

  /** Whether {@link problem} reaches anybody: worth a request to find out. */
  get tellsProblems(): boolean {
    return this.mode.isJson || this.mode.isStrict
  }

  /** Formats like printf and ends the line. */
  row(template: string, ...values: readonly unknown[]): void {
    this.text(`${format(template, ...values)}\n`)
  }

  line(text = ''): void {
    this.text(`${text}\n`)
  }

  /** Without a line end: some of Java's texts have none. */
  text(text: string): void {
    if (!this.mode.isJson) this.stdout.write(text)
  }

  /** A part of the command failed and the rest goes on; Java prints a stack trace. */
  failure(text: string): void {
    this.stderr.write(`${text}\n`)
    this.problems.push(text)
  }

  /** Something that Java calls a success: told with `--json` and `--strict` only. */
  problem(text: string): void {
    this.problems.push(text)
  }
}
