import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/** docs/protocol/scenarios.md names a test for each scenario: here it is made sure that they exist. */

const tests = join(import.meta.dirname, '..')
const page = readFileSync(join(tests, '../docs/protocol/scenarios.md'), 'utf8')

interface Row {
  no: number
  cell: string
  tests: { file: string; name: string }[]
}

const rows: Row[] = [...page.matchAll(/^\| (\d+) \| .*? \| (.*) \|$/gm)].map(([, no, cell]) => ({
  no: Number(no),
  cell: cell!,
  tests: cell!.split('<br>').flatMap(one => {
    const [, file, name] = /^`(.+?\.test\.ts)`: (.+)$/.exec(one) ?? []
    return file === undefined ? [] : [{ file, name: name!.replaceAll('\\|', '|') }]
  }),
}))

/** Titles of the tests of a file, as written there; of tables, every text in them. */
function titlesIn(path: string): Set<string> {
  const source = ts.createSourceFile(path, readFileSync(join(tests, path), 'utf8'), ts.ScriptTarget.Latest, true)
  const titles = new Set<string>()
  const addTexts = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) titles.add(node.text)
    node.forEachChild(addTexts)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(test|it)\b/.test(node.expression.getText())) {
      const isTable = ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'each'
      const [first] = node.arguments
      if (first && (isTable || ts.isStringLiteralLike(first))) addTexts(first)
    }
    node.forEachChild(visit)
  }
  visit(source)
  return titles
}

describe('docs/protocol/scenarios.md', () => {
  test('has a row for each of the 131 scenarios', () => {
    expect(rows.map(row => row.no)).toEqual(Array.from({ length: 131 }, (_, i) => i + 1))
  })

  test('names tests that exist, or says why there is none', () => {
    const missing = rows.flatMap(row => {
      if (row.tests.length === 0) return /^(later work|not here): ./.test(row.cell) ? [] : [`${row.no}: ${row.cell}`]
      return row.tests
        .filter(({ file, name }) => !titlesIn(file).has(name))
        .map(({ file, name }) => `${row.no}: ${file} has no test "${name}"`)
    })
    expect(missing).toEqual([])
  })

  test('names every test that carries the number of a scenario', () => {
    const files = readdirSync(join(tests, 'integration')).filter(name => /^scenarios-.*\.test\.ts$/.test(name))
    const unnamed = files.flatMap(name => {
      const file = `integration/${name}`
      const numbered = [...titlesIn(file)].filter(title => /^S\d{3} /.test(title))
      return numbered.filter(title => {
        const row = rows.find(({ no }) => no === Number(title.slice(1, 4)))
        return !row?.tests.some(one => one.file === file && one.name === title)
      })
    })
    expect(unnamed).toEqual([])
  })
})
