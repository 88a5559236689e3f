import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/** The laws of the house: sizes of the tail, who may import whom, what may not be written. See docs/architecture.md. */

const root = resolve(import.meta.dirname, '..')
const MAX_FILE_LINES = 500
const MAX_FUNCTION_LINES = 70
const MAX_COLUMNS = 120
const MAX_PARAMETERS = 4

/** Folder of src -> folders it may import. Composition roots (`start*.ts`, `controller.ts`, src/*.ts) are looser. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  common: ['util'],
  remoting: ['util', 'common'],
  store: ['util', 'common'],
  config: ['util', 'common'],
  observability: ['util', 'common'],
  namesrv: ['util', 'common', 'remoting'],
  broker: ['util', 'common', 'remoting', 'store'],
  client: ['util', 'common', 'remoting'],
  admin: ['util', 'common', 'remoting', 'client', 'store'],
  inspect: ['util', 'common', 'store'],
}
const COMPOSITION_ROOT = /(^|\/)(start|controller|main|embed|index)[^/]*\.ts$/
const FOR_ROOTS_ONLY = ['config', 'observability']

interface Source {
  path: string
  text: string
  ast: ts.SourceFile
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

const read = (path: string): Source => {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, ast: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) }
}
const sources = filesBelow('src').map(read)
const tests = filesBelow('test').map(read)
const everything = [...sources, ...tests]

function lineOf(source: Source, position: number): number {
  return source.ast.getLineAndCharacterOfPosition(position).line + 1
}

function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node)
  node.forEachChild(child => visit(child, each))
}

function imports(source: Source): { specifier: string; line: number }[] {
  const found: { specifier: string; line: number }[] = []
  visit(source.ast, node => {
    const specifier =
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined
    if (specifier && ts.isStringLiteral(specifier))
      found.push({ specifier: specifier.text, line: lineOf(source, node.getStart()) })
  })
  return found
}

describe('sizes', () => {
  test(`no file over ${MAX_FILE_LINES} lines`, () => {
    const long = everything
      .map(s => ({ path: s.path, lines: s.text.split('\n').length - 1 }))
      .filter(s => s.lines > MAX_FILE_LINES)
    expect(long).toEqual([])
  })

  test(`no line over ${MAX_COLUMNS} columns in src`, () => {
    const wide = sources.flatMap(s =>
      s.text.split('\n').flatMap((line, i) => ([...line].length > MAX_COLUMNS ? [`${s.path}:${i + 1}`] : [])),
    )
    expect(wide).toEqual([])
  })

  test(`no function over ${MAX_FUNCTION_LINES} lines or ${MAX_PARAMETERS} parameters in src`, () => {
    const large: string[] = []
    for (const source of sources)
      visit(source.ast, node => {
        if (!ts.isFunctionLike(node) || !('body' in node) || !node.body) return
        const from = lineOf(source, node.getStart())
        const lines = lineOf(source, node.getEnd()) - from + 1
        if (lines > MAX_FUNCTION_LINES) large.push(`${source.path}:${from} has ${lines} lines`)
        const parameters = node.parameters.length
        if (!ts.isConstructorDeclaration(node) && parameters > MAX_PARAMETERS)
          large.push(`${source.path}:${from} has ${parameters} parameters`)
      })
    expect(large).toEqual([])
  })

  test('files of src are named in kebab-case', () => {
    expect(
      sources.filter(s => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(s.path.split('/').at(-1)!)).map(s => s.path),
    ).toEqual([])
  })
})

describe('imports', () => {
  test('follow the direction of the house, through index.ts', () => {
    const wrong: string[] = []
    for (const source of sources) {
      const [, from, ...rest] = source.path.split('/')
      if (!from || rest.length === 0) continue
      for (const { specifier, line } of imports(source)) {
        if (!specifier.startsWith('.')) continue
        const target = relative(root, resolve(root, dirname(source.path), specifier))
        const [top, to, ...below] = target.split('/')
        if (top !== 'src' || to === from) continue
        const allowed =
          MAY_IMPORT[from]?.includes(to!) || (FOR_ROOTS_ONLY.includes(to!) && COMPOSITION_ROOT.test(source.path))
        if (!allowed) wrong.push(`${source.path}:${line} imports ${target}`)
        else if (below.join('/') !== 'index.js')
          wrong.push(`${source.path}:${line} imports ${target}, not src/${to}/index.js`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('have no cycles between files', () => {
    expect(findCycle()).toEqual([])
  })

  test.each([
    ['koffi', /^src\/util\/native\//],
    ['pino', /^src\/observability\//],
    ['lz4-napi', /^src\/common\/message\/compression/],
    ['commander', /^src\/(config|admin|inspect)\/|^src\/start/],
  ])('only one place knows %s', (library, place) => {
    const users = sources.filter(s => imports(s).some(i => i.specifier === library)).map(s => s.path)
    expect(users.filter(path => !place.test(path))).toEqual([])
  })
})

describe('words', () => {
  test('no TODO, no silenced compiler, no any', () => {
    const found: string[] = []
    for (const source of everything) {
      if (source.path === 'test/tidy.test.ts') continue
      source.text.split('\n').forEach((line, i) => {
        if (/\b(TODO|FIXME|XXX:)|@ts-(ignore|expect-error|nocheck)/.test(line)) found.push(`${source.path}:${i + 1}`)
      })
      visit(source.ast, node => {
        if (node.kind !== ts.SyntaxKind.AnyKeyword) return
        const line = lineOf(source, node.getStart())
        const above = source.text.split('\n')[line - 2] ?? ''
        if (!above.includes('biome-ignore')) found.push(`${source.path}:${line} any`)
      })
    }
    expect(found).toEqual([])
  })

  test('no test is skipped, focused or waits by the clock', () => {
    const found = tests
      .filter(s => s.path !== 'test/tidy.test.ts' && !s.path.startsWith('test/support/'))
      .flatMap(s =>
        s.text
          .split('\n')
          .flatMap((line, i) =>
            /\.(only|todo)\(|(test|it|describe)\.skip|\bsleep\(\d/.test(line) ? [`${s.path}:${i + 1}`] : [],
          ),
      )
    expect(found).toEqual([])
  })
})

/** The first cycle of value imports between files of src, as a list of paths; empty when there is none. */
function findCycle(): string[] {
  const edges = new Map(
    sources.map(source => [
      source.path,
      valueImports(source)
        .filter(specifier => specifier.startsWith('.'))
        .map(specifier => relative(root, resolve(root, dirname(source.path), specifier)).replace(/\.js$/, '.ts')),
    ]),
  )
  const done = new Set<string>()
  const walk = (path: string, trail: string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return []
    for (const next of edges.get(path) ?? []) {
      const cycle = walk(next, [...trail, path])
      if (cycle.length > 0) return cycle
    }
    done.add(path)
    return []
  }
  for (const path of edges.keys()) {
    const cycle = walk(path, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

/** Import specifiers that exist at run time: types alone make no cycle. */
function valueImports(source: Source): string[] {
  const found: string[] = []
  for (const node of source.ast.statements) {
    if (
      ts.isExportDeclaration(node) &&
      !node.isTypeOnly &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    )
      found.push(node.moduleSpecifier.text)
    if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) continue
    const clause = node.importClause
    if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) continue
    const named = clause?.namedBindings
    const onlyTypes =
      clause && !clause.name && named && ts.isNamedImports(named) && named.elements.every(element => element.isTypeOnly)
    if (!onlyTypes) found.push(node.moduleSpecifier.text)
  }
  return found
}
