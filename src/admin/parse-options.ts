import { editDistance, MQError } from '../util/index.js'
import { type NamedOption, optionKey } from './option-spec.js'

/** A command line that cannot be: the message is Java's (commons-cli 1.5), the hint is ours. */
export class UsageError extends MQError {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super('ERR_USAGE', message)
    this.name = 'UsageError'
  }
}

/**
 * Parses as Java's tool does: `-t T`, `-tT`, `-t=T`, `--topic T`, `--topic=T`, an unambiguous beginning of a long name,
 * letters put together; other words are ignored. Gives values by option name; of flags `true`.
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[], options: readonly NamedOption[]): Map<string, string | true> {
  const parser = new Parser(options)
  for (const token of argv) parser.take(token)
  return parser.finish()
}

class Parser {
  private readonly values = new Map<string, string | true>()
  /** Given so far, of each group. */
  private readonly chosen = new Map<string, NamedOption>()
  /** Waits for its value. */
  private pending: NamedOption | undefined
  private onlyWords = false

  constructor(private readonly options: readonly NamedOption[]) {}

  take(token: string): void {
    if (this.onlyWords) return
    if (token === '--') {
      this.onlyWords = true
      return
    }
    if (this.pending !== undefined && this.isValue(token)) {
      this.setValue(this.pending, token)
      this.pending = undefined
    } else if (token.startsWith('--')) this.takeLong(token)
    else if (token.startsWith('-') && token.length > 1) this.takeShort(token)
  }

  finish(): Map<string, string | true> {
    this.refusePending()
    const missing = [...this.missing()]
    if (missing.length > 0) {
      throw new UsageError(`Missing required option${missing.length === 1 ? '' : 's'}: ${missing.join(', ')}`)
    }
    return this.values
  }

  /** What is needed and not there, a group as one, in the order of the table. */
  private *missing(): Iterable<string> {
    const groups = new Set<string>()
    for (const option of this.options) {
      const { group } = option
      if (group !== undefined) {
        if (groups.has(group) || this.chosen.has(group)) continue
        groups.add(group)
        const members = this.options.filter(member => member.group === group)
        yield `[${members.map(member => `-${optionKey(member)} ${member.description}`).join(', ')}]`
      } else if (option.kind === 'needed' && !this.values.has(option.name)) yield optionKey(option)
    }
  }

  private takeLong(token: string): void {
    const equals = token.indexOf('=')
    const option = this.findLong(equals < 0 ? token : token.slice(0, equals))
    if (option === undefined || (equals >= 0 && option.kind === 'flag')) throw this.unrecognized(token)
    this.begin(option)
    if (equals < 0) return
    this.setValue(option, token.slice(equals + 1))
    this.pending = undefined
  }

  private takeShort(token: string): void {
    const text = token.slice(1)
    const equals = text.indexOf('=')
    if (equals >= 0) {
      const option = equals === 1 ? this.findShort(text[0]!) : undefined
      if (equals > 1) {
        this.takeLong(token)
        return
      }
      if (option === undefined || option.kind === 'flag') throw this.unrecognized(token)
      this.begin(option)
      this.setValue(option, text.slice(equals + 1))
      this.pending = undefined
      return
    }
    const short = this.findShort(text)
    if (short !== undefined) this.begin(short)
    else if (text.length > 1 && this.matchingLong(text).length > 0) this.takeLong(token)
    else this.takeTogether(token)
  }

  /** `-cl`, or `-r8`. */
  private takeTogether(token: string): void {
    for (let i = 1; i < token.length; i++) {
      const option = this.findShort(token[i]!)
      if (option === undefined) throw this.unrecognized(token)
      this.begin(option)
      if (option.kind === 'flag') continue
      if (i + 1 < token.length) {
        this.setValue(option, token.slice(i + 1))
        this.pending = undefined
      }
      return
    }
  }

  private begin(option: NamedOption): void {
    this.refusePending()
    if (option.group !== undefined) {
      const chosen = this.chosen.get(option.group)
      if (chosen !== undefined && chosen !== option) {
        throw new UsageError(
          `The option '${optionKey(option)}' was specified but an option from this group has already been selected: ` +
            `'${optionKey(chosen)}'`,
        )
      }
      this.chosen.set(option.group, option)
    }
    if (option.kind === 'flag') this.values.set(option.name, true)
    else this.pending = option
  }

  private setValue(option: NamedOption, text: string): void {
    // of an option given twice Java takes the first
    if (!this.values.has(option.name)) this.values.set(option.name, unquoted(text).trim())
  }

  private refusePending(): void {
    if (this.pending !== undefined) throw new UsageError(`Missing argument for option: ${optionKey(this.pending)}`)
  }

  /** Anything but an option of this command, negative numbers and unknown options included. */
  private isValue(token: string): boolean {
    if (!token.startsWith('-') || token.length === 1 || /^-\d+(\.\d+)?$/.test(token)) return true
    const name = token.replace(/^--?/, '').split('=', 1)[0]!
    const isShort = !token.startsWith('--') && name !== '' && this.findShort(name[0]!) !== undefined
    return !isShort && this.matchingLong(name).length === 0
  }

  private findShort(letter: string): NamedOption | undefined {
    return this.options.find(option => option.short === letter)
  }

  private findLong(token: string): NamedOption | undefined {
    const name = token.replace(/^--?/, '')
    const matches = this.matchingLong(name)
    const exact = matches.find(option => option.long === name)
    if (exact !== undefined || matches.length <= 1) return exact ?? matches[0]
    const candidates = matches.map(option => `'${option.long}'`).join(', ')
    throw new UsageError(`Ambiguous option: '${token}'  (could be: ${candidates})`)
  }

  private matchingLong(name: string): NamedOption[] {
    if (name === '') return []
    const exact = this.options.filter(option => option.long === name)
    if (exact.length > 0) return exact
    return this.options.filter(option => !option.exactName && option.long.startsWith(name))
  }

  private unrecognized(token: string): UsageError {
    const wanted = token.replace(/^-+/, '').split('=', 1)[0]!
    const near = nearest(
      wanted,
      this.options.map(option => option.long.trim()),
    )
    return new UsageError(`Unrecognized option: ${token}`, near === undefined ? undefined : `Did you mean --${near}?`)
  }
}

function unquoted(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** The name that differs least from what was typed, or undefined when none is close. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const wanted = typed.toLowerCase()
  const limit = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3))
  let best: string | undefined
  let least = limit + 1
  for (const name of names) {
    const distance = editDistance(wanted, name.toLowerCase())
    if (distance < least) {
      best = name
      least = distance
    }
  }
  return best
}
