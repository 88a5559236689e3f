import { describe, expect, test } from 'vitest'
import {
  appendProperties,
  decodeProperties,
  encodeProperties,
  encodeProperty,
  findProperty,
  readProperty,
  removeProperty,
  reservedPropertyNames,
} from '../../../../src/common/index.js'

const SEP = '\u0001'
const END = '\u0002'

describe('properties as text', () => {
  test.each<[string, Record<string, string>]>([
    ['', {}],
    [`a${SEP}1${END}b${SEP}2${END}`, { a: '1', b: '2' }],
    [`a${SEP}1${END}b${SEP}2`, { a: '1', b: '2' }],
    [`a${SEP}1${END}a${SEP}2${END}`, { a: '2' }],
    [`a${SEP}${END}b${SEP}2${END}`, { b: '2' }],
    [`${SEP}x${END}b${SEP}2${END}`, { b: '2' }],
    [`ax${END}b${SEP}2${END}`, { b: '2' }],
    [`${END}${END}b${SEP}2${END}`, { b: '2' }],
    [`a${SEP}1${SEP}2${END}`, { a: `1${SEP}2` }],
    [`ключ${SEP}значение${END}`, { ключ: 'значение' }],
  ])('%j', (text, properties) => {
    expect(Object.fromEntries(decodeProperties(text))).toEqual(properties)
    expect(decodeProperties(encodeProperties(Object.entries(properties)))).toEqual(new Map(Object.entries(properties)))
  })
})

describe('properties as bytes', () => {
  const name = Buffer.from('KEY')

  test.each<[string, string | undefined]>([
    [`KEY${SEP}v${END}`, 'v'],
    [`KEY${SEP}v`, 'v'],
    [`a${SEP}1${END}KEY${SEP}välue${END}`, 'välue'],
    [`KEY${SEP}1${END}KEY${SEP}2${END}b${SEP}3`, '2'],
    [`KEY${SEP}${END}`, undefined],
    [`KEYS${SEP}x${END}`, undefined],
    [`XKEY${SEP}x${END}`, undefined],
    [`a${SEP}KEY${SEP}x${END}`, undefined],
    [`KEY`, undefined],
    ['', undefined],
  ])('%j', (text, value) => {
    expect(readProperty(Buffer.from(text), name)).toBe(value)
    expect(decodeProperties(text).get('KEY')).toBe(value)
  })

  test('only inside the given range', () => {
    const bytes = Buffer.from(`KEY${SEP}1${END}KEY${SEP}23${END}`)
    expect(findProperty(bytes, name, 0, 6)).toEqual({ start: 4, end: 5 })
    expect(findProperty(bytes, name, 6, 11)).toEqual({ start: 10, end: 11 })
    expect(findProperty(bytes, name, 6, 10)).toBeUndefined()
    expect(findProperty(bytes, name, 1, 6)).toBeUndefined()
  })

  test('appending adds the separator old writers omit', () => {
    const tail = encodeProperty('b', '2')
    for (const before of ['', `a${SEP}1`, `a${SEP}1${END}`]) {
      const text = appendProperties(Buffer.from(before), tail).toString()
      expect(text).toBe(before === '' ? `b${SEP}2${END}` : `a${SEP}1${END}b${SEP}2${END}`)
    }
    const bytes = Buffer.from('x')
    expect(appendProperties(bytes, Buffer.alloc(0))).toBe(bytes)
  })

  test.each([
    [`KEY${SEP}1${END}a${SEP}1${END}`, `a${SEP}1${END}`],
    [`a${SEP}1${END}KEY${SEP}1`, `a${SEP}1${END}`],
    [`a${SEP}1${END}KEY${SEP}1${END}b${SEP}2${END}KEY${SEP}3${END}`, `a${SEP}1${END}b${SEP}2${END}`],
    [`KEY${SEP}${END}`, ''],
    [`KEYS${SEP}1${END}`, `KEYS${SEP}1${END}`],
  ])('removing from %j', (before, after) => {
    expect(removeProperty(Buffer.from(before), name).toString()).toBe(after)
  })
})

test('names an application may and may not use', () => {
  expect(['TAGS', 'TIMER_DELIVER_MS', '__CRC32#'].every(name => reservedPropertyNames.has(name))).toBe(true)
  expect(['__SHARDINGKEY', 'INNER_MULTI_DISPATCH', 'color'].some(name => reservedPropertyNames.has(name))).toBe(false)
})
