import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { variableOf } from '../../../src/config/environment.js'
import { brokerSettings, loadBrokerSettings, loadNamesrvSettings, namesrvSettings } from '../../../src/config/index.js'
import { nearestKey } from '../../../src/config/nearest-key.js'
import { formatSetting, parseSetting } from '../../../src/config/parse-setting.js'
import { renderGuide } from '../../../src/config/render-guide.js'
import { effectiveKeys, renderSamples } from '../../../src/config/render-samples.js'
import { defaultOf } from '../../../src/config/setting.js'
import { editDistance, parseProperties } from '../../../src/util/index.js'
import { goldenHost } from './fixtures.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const definitions = [brokerSettings, namesrvSettings]

describe.each(definitions.map(definition => [definition.name, definition] as const))(
  'the table of %s',
  (_name, definition) => {
    const rows = Object.entries(definition.rows)
    const surroundings = goldenHost().host.surroundings!

    test('every default is allowed and reads back as printed', () => {
      const bad = rows.filter(([, row]) => {
        const value = defaultOf(row, surroundings)
        const parsed = parseSetting(row, formatSetting(row, value))
        return !parsed.ok || parsed.value !== value
      })
      expect(bad.map(([key]) => key)).toEqual([])
    })

    test('every row has a line of doc that ends with a full stop', () => {
      expect(
        rows.filter(([, row]) => !/^[A-Z0-9].*\.$/.test(row.doc) || row.doc.length > 110).map(([key]) => key),
      ).toEqual([])
    })

    test('every row stands in a section, and the sections hold no others', () => {
      const inSections = new Set(definition.sections.flatMap(section => Object.keys(section.rows)))
      expect([...inSections].sort()).toEqual(rows.map(([key]) => key).sort())
    })

    test('every key has a variable of its own', () => {
      const variables = new Set(rows.map(([key]) => variableOf(key).replaceAll('_', '')))
      expect(variables.size).toBe(rows.length)
    })
  },
)

describe('docs and samples are in step with the tables (else: npm run docs:config)', () => {
  test('docs/guides/configuration.md', () => {
    expect(read('docs/guides/configuration.md')).toBe(renderGuide())
    for (const definition of definitions) {
      for (const key of Object.keys(definition.rows))
        expect(read('docs/guides/configuration.md')).toContain(`| \`${key}\` |`)
    }
  })

  test('conf/ holds the samples and nothing else', () => {
    const samples = renderSamples()
    const there = readdirSync(join(root, 'conf'), { recursive: true, encoding: 'utf8' }).filter(path =>
      /\.\w+$/.test(path),
    )
    expect(there.sort()).toEqual([...samples.keys()].sort())
    for (const [path, text] of samples) expect(read(join('conf', path)), path).toBe(text)
  })

  test.each([
    ['broker.conf', brokerSettings],
    ['namesrv.conf', namesrvSettings],
  ] as const)('%s names every key that has an effect', (path, definition) => {
    const named = new Set(parseProperties(read(join('conf', path)).replace(/^#(\w+=)/gm, '$1')).map(({ key }) => key))
    expect(effectiveKeys(definition.rows).filter(key => !named.has(key))).toEqual([])
  })

  test('the samples load without a word; slaves say what is missing', () => {
    for (const path of renderSamples().keys()) {
      const { host, printed } = goldenHost({})
      const file = join(root, 'conf', path)
      const loaded = path.startsWith('namesrv')
        ? loadNamesrvSettings(['-c', file], host)
        : loadBrokerSettings(['-c', file], host)
      expect([path, loaded.kind]).toEqual([path, path.endsWith('-s.properties') ? 'exit' : 'start'])
      expect(printed.err !== '').toBe(loaded.kind === 'exit')
    }
  })
})

describe('launchers', () => {
  test.each(['mqnamesrv', 'mqbroker', 'mqadmin', 'mqshutdown', 'cometmq'])(
    'bin/%s imports a module that the build makes',
    name => {
      const [, target] = /new URL\('\.\.\/dist\/(.*)\.js'/.exec(read(`bin/${name}`)) ?? []
      expect(existsSync(join(root, 'src', `${target}.ts`)), `src/${target}.ts`).toBe(true)
    },
  )
})

describe('the nearest key', () => {
  test.each([
    ['listenport', 'listenPort'],
    ['lisenPort', 'listenPort'],
    ['fileReservedTimes', 'fileReservedTime'],
    ['x', undefined],
    ['somethingElse', undefined],
  ])('%s: %s', (unknown, expected) => {
    expect(nearestKey(unknown, Object.keys(brokerSettings.rows))).toBe(expected)
  })

  test('distances', () => {
    expect([editDistance('', 'abc'), editDistance('kitten', 'sitting'), editDistance('a', 'a')]).toEqual([3, 3, 0])
  })
})
