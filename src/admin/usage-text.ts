import { type NamedOption, optionKey } from './option-spec.js'

/** Java's width of a help text. */
const WIDTH = 110
const USAGE = 'usage: '
const GAP = '   '

/**
 * The usage text of a command as Java's tool lays it out (commons-cli 1.5), options sorted by letter. Options that Java
 * does not have follow on lines of their own, so that the rest stays comparable.
 */
export function usageText(command: string, options: readonly NamedOption[]): string {
  const javas = options.filter(option => !option.exactName).sort(byKey)
  const lines = [...wrapped(`${USAGE}mqadmin ${command} ${synopsis(javas)}`, USAGE.length), ...optionLines(javas)]
  const ours = options.filter(option => option.exactName)
  const width = Math.max(0, ...javas.map(option => head(option).length))
  return [...lines, ...ours.map(option => `    --${option.long}`.padEnd(width) + GAP + option.description)]
    .map(line => `${line}\n`)
    .join('')
}

function byKey(a: NamedOption, b: NamedOption): number {
  const left = optionKey(a).toLowerCase()
  const right = optionKey(b).toLowerCase()
  return left < right ? -1 : left > right ? 1 : 0
}

function synopsis(options: readonly NamedOption[]): string {
  const groups = new Set<string>()
  const parts = options.map(option => {
    if (option.group === undefined) {
      return option.kind === 'needed' ? placeholder(option) : `[${placeholder(option)}]`
    }
    // the place of the second member stays, empty, as in Java
    if (groups.has(option.group)) return ''
    groups.add(option.group)
    return options
      .filter(member => member.group === option.group)
      .map(placeholder)
      .join(' | ')
  })
  return parts.join(' ')
}

function placeholder(option: NamedOption): string {
  const name = option.short === undefined ? `--${option.long}` : `-${option.short}`
  return option.kind === 'flag' ? name : `${name} <arg>`
}

function optionLines(options: readonly NamedOption[]): string[] {
  const heads = options.map(head)
  const width = Math.max(...heads.map(head => head.length))
  return options.flatMap((option, i) => wrapped(heads[i]!.padEnd(width) + GAP + option.description, width + GAP.length))
}

function head(option: NamedOption): string {
  const names = option.short === undefined ? `   --${option.long}` : `-${option.short},--${option.long}`
  return ` ${names}${option.kind === 'flag' ? '' : ' <arg>'}`
}

/** Breaks at blanks; further lines are indented. */
function wrapped(text: string, indent: number): string[] {
  const lines: string[] = []
  let rest = text
  for (;;) {
    let end = breakPoint(rest)
    if (end < 0) return [...lines, rest.trimEnd()]
    // a word longer than the line is cut
    if (rest.length > WIDTH && end === indent - 1) end = WIDTH
    lines.push(rest.slice(0, end).trimEnd())
    rest = ' '.repeat(indent) + rest.slice(end).trim()
  }
}

function breakPoint(text: string): number {
  if (text.length <= WIDTH) return -1
  const blank = text.lastIndexOf(' ', WIDTH)
  return blank > 0 ? blank : WIDTH
}
