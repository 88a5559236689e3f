import fc from 'fast-check'
import { expect, test } from 'vitest'
import { continueJavaHash, PropertyScan, parseDecimal, tagsCodeOf } from '../../../src/store/property-scan.js'
import { javaHash } from '../../../src/util/index.js'

function scanned(text: string): { tags: string | undefined; keys: string | undefined; uniqKey: string | undefined } {
  const bytes = Buffer.from(`##${text}##`)
  const scan = new PropertyScan()
  scan.scan(bytes, 2, bytes.length - 2)
  const part = (start: number, end: number): string | undefined =>
    start < 0 ? undefined : bytes.toString('utf8', start, end)
  return {
    tags: part(scan.tagsStart, scan.tagsEnd),
    keys: part(scan.keysStart, scan.keysEnd),
    uniqKey: part(scan.uniqKeyStart, scan.uniqKeyEnd),
  }
}

test.each([
  ['TAGS\x01a\x02KEYS\x01k1 k2\x02UNIQ_KEY\x01u\x02', { tags: 'a', keys: 'k1 k2', uniqKey: 'u' }],
  ['UNIQ_KEY\x01first\x02UNIQ_KEY\x01last\x02', { tags: undefined, keys: undefined, uniqKey: 'last' }],
  ['MYTAGS\x01x\x02TAGS\x01\x02', { tags: undefined, keys: undefined, uniqKey: undefined }],
  ['a\x01TAGS\x01b\x02TAGS\x01no end', { tags: 'no end', keys: undefined, uniqKey: undefined }],
  ['TAGS\x02KEYS\x01', { tags: undefined, keys: undefined, uniqKey: undefined }],
])('%j', (text, expected) => {
  expect(scanned(text)).toEqual(expected)
})

test('the hash of bytes is the hash of the text, whatever the characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (head, tail) => {
      const bytes = Buffer.from(tail)
      expect(continueJavaHash(javaHash(head), bytes, 0, bytes.length)).toBe(javaHash(head + tail))
    }),
  )
})

test('no tags have code 0', () => {
  expect(tagsCodeOf(undefined)).toBe(0)
  expect(tagsCodeOf('')).toBe(0)
  expect(tagsCodeOf('create')).toBe(-1_352_294_148)
})

test('a number that is none gives the fallback', () => {
  const bytes = Buffer.from('12x')
  expect(parseDecimal(bytes, 0, 2, -1)).toBe(12)
  expect(parseDecimal(bytes, 0, 3, -1)).toBe(-1)
  expect(parseDecimal(bytes, 1, 1, -1)).toBe(-1)
})
