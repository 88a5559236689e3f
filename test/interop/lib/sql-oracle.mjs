import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { launch } from './clients.mjs'
import { classPath, root } from './tools.mjs'

/*
 * Random SQL92 expressions and properties, given to our filter and to the Java release's own. Both deliver the same
 * messages and refuse the same expressions, with the same words. The seed is printed; SQL_SEED repeats a run.
 */

const EXPRESSIONS = 12_000
const SETS = 4
const SHOWN = 3

const names = ['a', 'b', 'Color', '$x_1', '_p', 'größe']
const values = [
  ...[
    '',
    'x',
    'abc',
    "it's",
    'ü',
    'true',
    'TRUE',
    'false',
    '1',
    '-3',
    '2.5',
    '1e2',
    '007',
    '+4',
    ' 7',
    '7 ',
    '.5',
    '5.',
  ],
  ...['NaN', 'Infinity', '-0', '2147483647', '2147483648', '9223372036854775807', '9223372036854775808', '1f', '0x10'],
]
const numbers = [
  ...['0', '1', '7', '-3', '100', '2147483647', '2147483648', '-2147483648', '9223372036854775807', '5L', '5l'],
  ...['0.5', '.5', '5.', '1e2', '1.5E-3', '100.0', '-2.5', '9223372036854775808', '1e400', '010'],
]
const strings = ['', 'x', 'abc', "it''s", 'ü', 'true', '1', '2.5', 'b', 'c']
const orders = ['>', '>=', '<', '<=']
const soup = [
  ...['a', 'b', '1', '1.5', "'x'", "''", '=', '<>', '<', '>=', '(', ')', ',', '+', '-', 'NOT', 'AND', 'OR', 'IN', 'IS'],
  ...[
    'NULL',
    'TRUE',
    'false',
    'BETWEEN',
    'CONTAINS',
    'STARTSWITH',
    'ENDSWITH',
    'LIKE',
    'ESCAPE',
    '/*',
    '*/',
    '--',
    '//',
  ],
  ...["'", '"', '.', '\n', '\t', '!', '%', '@', '==', '!=', '9223372036854775808', '1L', '1x', 'x.y', 'a-b', 'ß', '😀'],
]

/** Numbers that a seed decides (mulberry32). */
function randomOf(seed) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = limit => Math.floor(next() * limit)
  return { below, chance: probability => next() < probability, pick: list => list[below(list.length)] }
}

class Expressions {
  constructor(random) {
    this.random = random
  }

  next() {
    const kind = this.random.below(10)
    if (kind < 6) return this.condition(3)
    if (kind < 9) return this.damaged(this.condition(2))
    return Array.from({ length: 1 + this.random.below(8) }, () => this.random.pick(soup)).join(' ')
  }

  properties() {
    const set = new Map()
    for (const name of names) if (this.random.chance(0.6)) set.set(name, this.random.pick(values))
    return set
  }

  condition(depth) {
    const { random } = this
    if (depth === 0 || random.chance(0.4)) return this.leaf()
    const one = this.condition(depth - 1)
    switch (random.below(5)) {
      case 0:
        return `${random.pick(['NOT', 'not'])} (${one})`
      case 1:
        return `(${one})`
      case 2:
        return `${one} ${random.pick(['AND', 'and'])} ${this.condition(depth - 1)}`
      case 3:
        return `(${one}) OR (${this.condition(depth - 1)})`
      default:
        return `${one} ${random.pick(['OR', 'Or'])} ${this.condition(depth - 1)}`
    }
  }

  leaf() {
    const { random } = this
    const not = random.chance(0.3) ? 'NOT ' : ''
    const name = random.pick(names)
    switch (random.below(8)) {
      case 0:
        return `${this.operand()} ${random.pick([...orders, '=', '<>'])} ${this.operand()}`
      case 1:
        return `${name} ${random.pick([...orders, '=', '<>'])} ${random.pick(numbers)}`
      case 2:
        return `${name} ${random.pick(['=', '<>'])} ${this.text()}`
      case 3:
        return `${name} ${not}BETWEEN ${random.pick(numbers)} AND ${random.pick(numbers)}`
      case 4:
        return `${name} ${not}IN (${Array.from({ length: 1 + random.below(6) }, () => this.text()).join(', ')})`
      case 5:
        return `${name} ${not}${random.pick(['CONTAINS', 'STARTSWITH', 'ENDSWITH', 'contains'])} ${this.text()}`
      case 6:
        return `${name} IS ${not}NULL`
      default:
        return random.pick([name, 'TRUE', 'False', 'NULL', `${name} = ${random.pick(['TRUE', 'false'])}`])
    }
  }

  operand() {
    const { random } = this
    const kinds = [names, names, numbers, ['TRUE', 'FALSE', 'NULL'], [this.text()], [`-${random.pick(names)}`]]
    return random.pick(random.pick(kinds))
  }

  text() {
    return `'${this.random.pick(strings)}'`
  }

  /** With a word left out, put in, or replaced by another. */
  damaged(text) {
    const words = text.split(' ')
    const at = this.random.below(words.length)
    words.splice(at, this.random.below(2), ...(this.random.chance(0.7) ? [this.random.pick(soup)] : []))
    return words.join(' ')
  }
}

const encode = text => Buffer.from(text).toString('base64')

function makeCases(seed) {
  const expressions = new Expressions(randomOf(seed))
  return Array.from({ length: EXPRESSIONS }, () => ({
    expression: expressions.next(),
    sets: Array.from({ length: SETS }, () => expressions.properties()),
  }))
}

/** `R` and a letter per set of properties, or `E` and the text of the refusal. */
function oursOf(SqlFilter, { expression, sets }) {
  try {
    const filter = new SqlFilter(expression)
    return `R ${sets.map(set => (filter.matches(name => set.get(name)) ? 'T' : 'F')).join('')}`
  } catch (error) {
    return `E ${error.message}`
  }
}

async function javaAnswers(command, folder, cases) {
  const { child, lines, ended } = launch({ command, args: [], folder })
  const answers = []
  lines.on('line', line => answers.push(line.startsWith('E ') ? `E ${Buffer.from(line.slice(2), 'base64')}` : line))
  for (const { expression, sets } of cases) {
    const words = sets.map(set => [...set].map(([name, value]) => `${name}=${encode(value)}`).join(',') || ',')
    child.stdin.write(`${[encode(expression), ...words].join(' ')}\n`)
  }
  child.stdin.end()
  const exit = await ended
  if (answers.length !== cases.length)
    throw new Error(`the Java filter gave ${answers.length} of ${cases.length} answers and ended with ${exit}`)
  return answers
}

/**
 * @param {{ home: string, folder: string, report: (name: string, failure?: string) => void }} options
 */
export async function runSqlOracle({ home, folder, report }) {
  const { SqlFilter } = await import(pathToFileURL(join(root, 'dist/common/filter/index.js')).href)
  const seed = Number(process.env.SQL_SEED ?? Date.now() % 1_000_000)
  const cases = makeCases(seed)
  const command = ['java', '-Xmx512m', `-Duser.home=${home}`, '-cp', classPath('client-5.3'), 'interop.FilterOracle']
  const java = await javaAnswers(command, folder, cases)
  const different = { 'delivers-as-java': [], 'refuses-as-java': [] }
  const counts = { 'delivers-as-java': 0, 'refuses-as-java': 0 }
  cases.forEach((one, i) => {
    const name = java[i].startsWith('E ') ? 'refuses-as-java' : 'delivers-as-java'
    counts[name]++
    const ours = oursOf(SqlFilter, one)
    if (ours === java[i]) return
    const sets = one.sets.map(set => JSON.stringify(Object.fromEntries(set))).join(' ')
    different[name].push(`${JSON.stringify(one.expression)} ${sets} Java: ${java[i]} CometMQ: ${ours}`)
  })
  console.log(`SQL seed ${seed}: ${counts['delivers-as-java']} expressions, ${counts['refuses-as-java']} refused ones`)
  for (const [name, list] of Object.entries(different)) {
    const shown = list.slice(0, SHOWN).join(' | ').replaceAll('\n', '\\n')
    report(name, list.length === 0 ? undefined : `${list.length} of ${counts[name]} differ, seed ${seed}: ${shown}`)
  }
}
