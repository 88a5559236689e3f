import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  editProperties,
  formatProperties,
  formatProperty,
  parseProperties,
  readProperties,
} from '../../../src/util/index.js'

const pairs = (text: string) => [...readProperties(text)]

describe('reading', () => {
  test.each([
    ['a=b', 'a', 'b'],
    ['a:b', 'a', 'b'],
    ['a b', 'a', 'b'],
    ['a\t\f = \tb', 'a', 'b'],
    ['a  :  b', 'a', 'b'],
    ['a = = b', 'a', '= b'],
    ['a', 'a', ''],
    ['a=', 'a', ''],
    ['  \t a=b', 'a', 'b'],
    ['a=b  ', 'a', 'b  '],
    ['=b', '', 'b'],
    ['a\\=b\\:c\\ d=e', 'a=b:c d', 'e'],
    ['a=\\ b', 'a', ' b'],
    ['a=x\\ty\\nz\\rq\\fp', 'a', 'x\ty\nz\rq\fp'],
    ['a=\\u4f60\\u597D', 'a', '你好'],
    ['a=\\q\\\\', 'a', 'q\\'],
    ['a=C:\\\\store', 'a', 'C:\\store'],
    ['a=\\u12', 'a', 'u12'],
    ['a=#no comment', 'a', '#no comment'],
  ])('%j is %j with %j', (text, key, value) => {
    expect(pairs(text)).toEqual([[key, value]])
  })

  test('comments, blank lines and all line ends', () => {
    expect(pairs('# c\n  ! d=1\r\n\r\na=1\rb=2\n\n#e=3\\\nf=4')).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['f', '4'],
    ])
  })

  test('an odd backslash continues the line, without the blanks it starts with', () => {
    expect(pairs('list=a,\\\n    b,\\\r\n\tc\nodd=x\\\\\ny=z\nend=1\\')).toEqual([
      ['list', 'a,b,c'],
      ['odd', 'x\\'],
      ['y', 'z'],
      ['end', '1'],
    ])
  })

  test('entries know their lines; the last of two counts', () => {
    const text = '#\na=1\\\n2\n\na=3'
    expect(parseProperties(text)).toEqual([
      { key: 'a', value: '12', firstLine: 2, lastLine: 3 },
      { key: 'a', value: '3', firstLine: 5, lastLine: 5 },
    ])
    expect(readProperties(text).get('a')).toBe('3')
  })
})

describe('writing', () => {
  test('escapes what would be read differently, and nothing else', () => {
    expect(formatProperty('brokerIP1', '10.0.0.1:80=x #!')).toBe('brokerIP1=10.0.0.1:80=x #!')
    expect(formatProperty('#a b=:', ' \t\\é')).toBe('\\#a\\ b\\=\\:=\\ \\t\\\\\\u00E9')
    expect(formatProperty('a', '=b')).toBe('a=\\=b')
  })

  test('any keys and values come back as they were', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 12 })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(texts, texts), { selector: ([key]) => key }), entries => {
        const text = formatProperties(entries)
        expect(pairs(text)).toEqual(entries)
        expect(text).toMatch(/^[\n\x20-\x7e]*$/)
      }),
    )
  })

  test('any text is read without an error', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parseProperties(text)))
  })
})

describe('editing', () => {
  test('keeps comments, order and line ends, replaces continued values, adds new keys', () => {
    const text = '# head\r\na = 1\r\nlong=x,\\\r\n  y\r\nb=2 # not a comment'
    const edited = editProperties(text, new Map(Object.entries({ long: 'z', a: '5', c: '6' })))
    expect(edited).toBe('# head\r\na=5\r\nlong=z\r\nb=2 # not a comment\nc=6\n')
  })

  test('changes a key that stands there twice where it counts', () => {
    expect(editProperties('a=1\na=2\n', new Map([['a', '3']]))).toBe('a=1\na=3\n')
  })

  test('afterwards the changed keys read as wanted and the others as before', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd e')
    const values = fc.string({ maxLength: 6 })
    const line = fc.oneof(
      fc.tuple(keys, values).map(([key, value]) => formatProperty(key, value)),
      fc.constantFrom('# note', '', '  ! x', 'a : 1\\\n   2', 'b\\\n=3'),
    )
    fc.assert(
      fc.property(fc.array(line), fc.dictionary(keys, values), (lines, wanted) => {
        const text = lines.join('\n')
        const changes = new Map(Object.entries(wanted))
        const expected = new Map([...readProperties(text), ...changes])
        expect(readProperties(editProperties(text, changes))).toEqual(expected)
      }),
    )
  })
})
