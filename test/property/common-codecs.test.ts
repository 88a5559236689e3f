import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BadBatchError,
  BadRecordError,
  decodeBatch,
  decodeMessages,
  decodeProperties,
  decodeTopicConfigLine,
  decodeTrace,
  decompressBody,
  encodeBatch,
  encodeHostAddress,
  encodeProperties,
  heartbeatDataFromJson,
  ipFromBytes,
  JsonSyntaxError,
  parseFastJson,
  RecordProperties,
  readProperty,
  removeProperty,
  stringifyFastJson,
  topicRouteDataFromJson,
} from '../../src/common/index.js'
import { makeRecord } from '../support/record.js'

const bytes = fc.uint8Array({ maxLength: 400 }).map(array => Buffer.from(array))

/** Runs a decoder: it gives something or throws the one error it may throw. */
function survives(decode: () => unknown, allowed: new (...args: never[]) => Error): void {
  try {
    decode()
  } catch (error) {
    expect(error).toBeInstanceOf(allowed)
  }
}

const propertyText = fc.string({ minLength: 1, maxLength: 20 }).map(text => text.replace(/[\u0001\u0002]/g, '.'))
const propertyMap = fc.array(fc.tuple(propertyText, propertyText), { maxLength: 8 }).map(list => new Map(list))

describe('properties', () => {
  // one for all runs: what it keeps of one record must not show in another
  const reader = new RecordProperties()

  test('as text and as bytes they are the same', () => {
    fc.assert(
      fc.property(propertyMap, propertyText, fc.boolean(), (map, other, isOld) => {
        const text = encodeProperties(map)
        const cut = isOld ? text.slice(0, -1) : text
        expect(decodeProperties(cut)).toEqual(map)
        for (const name of [...map.keys(), other]) {
          expect(readProperty(Buffer.from(cut), Buffer.from(name))).toBe(map.get(name))
          expect(reader.of(Buffer.from(`\u0002${cut}\u0002`), 1, 1 + Buffer.byteLength(cut)).get(name)).toBe(
            map.get(name),
          )
          const rest = new Map([...map].filter(([key]) => key !== name))
          expect(decodeProperties(removeProperty(Buffer.from(cut), Buffer.from(name)).toString())).toEqual(rest)
        }
      }),
    )
  })

  test('many properties, long values and values that are not text', () => {
    const many = new Map(Array.from({ length: 300 }, (_, i) => [`name${i}`, `${i}`.repeat(i % 40)]))
    const bytes = Buffer.from(encodeProperties(many))
    reader.of(bytes)
    for (const [name, value] of many) expect(reader.get(name)).toBe(value === '' ? undefined : value)
    const bad = Buffer.from([...Buffer.from('a\u0001'), 0xc3, 0x28, 2])
    for (let i = 0; i < 2; i++) expect(reader.of(bad).get('a')).toBe('\ufffd(')
  })

  test('any text: lookup in the bytes agrees with parsing', () => {
    const messy = fc
      .array(fc.constantFrom('a', 'b', 'ab', 'é', '\u0001', '\u0002'), { maxLength: 30 })
      .map(list => list.join(''))
    fc.assert(
      fc.property(messy, text => {
        const parsed = decodeProperties(text)
        reader.of(Buffer.from(text))
        for (const name of ['a', 'b', 'ab']) {
          expect(readProperty(Buffer.from(text), Buffer.from(name))).toBe(parsed.get(name))
          expect(reader.get(name)).toBe(parsed.get(name))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('records and batches', () => {
  test('spoiled anywhere, they decode or are refused', () => {
    const records = Buffer.concat([makeRecord(), makeRecord({ bornHost: { host: '::1', port: 1 } })])
    const batch = encodeBatch([
      { flag: 1, body: Buffer.from('abc'), properties: new Map([['a', 'b']]) },
      { flag: 1, body: Buffer.alloc(0), properties: new Map() },
    ])
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(), (changes, cut) => {
        for (const [whole, decode, error] of [
          [records, decodeMessages, BadRecordError],
          [batch, decodeBatch, BadBatchError],
        ] as const) {
          const spoiled = Buffer.from(whole)
          for (const [at, value] of changes) spoiled[at % spoiled.length] = value
          survives(() => decode(spoiled.subarray(0, 1 + (cut % spoiled.length))), error)
        }
      }),
      { numRuns: 3000 },
    )
  })

  test('any bytes', () => {
    fc.assert(
      fc.property(bytes, buffer => {
        survives(() => decodeMessages(buffer), BadRecordError)
        survives(() => decodeBatch(buffer), BadBatchError)
        decodeTrace(buffer.toString('latin1'))
        decodeTopicConfigLine(buffer.toString('latin1'))
      }),
      { numRuns: 2000 },
    )
  })

  test('bodies of any bytes cannot be unpacked, and say so', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom('ZLIB', 'LZ4', 'ZSTD'), async (buffer, type) => {
        await decompressBody(buffer, type, 1_000_000).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'ERR_BAD_COMPRESSED_BODY' })
        })
      }),
    )
  })

  test('addresses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65535 }), (host, port) => {
        const encoded = encodeHostAddress({ host, port })
        const again = ipFromBytes(encoded.subarray(0, -4))
        expect(encodeHostAddress({ host: again, port })).toEqual(encoded)
      }),
    )
  })
})

describe('JSON', () => {
  /** Java leaves out members that are null. */
  function withoutNulls(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(withoutNulls)
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).filter(([, member]) => member !== null)
    return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]))
  }

  /** Integers beyond 2^53 are read as bigint; the numbers of JSON.parse are compared as numbers. */
  function parsed(text: string): unknown {
    return JSON.parse(JSON.stringify(parseFastJson(text), (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)))
  }

  test('what is written is read, in every form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.boolean(), fc.boolean(), (value, pretty, ascii) => {
        const text = stringifyFastJson(value, { pretty, ascii })
        expect(parsed(text)).toEqual(withoutNulls(JSON.parse(JSON.stringify(value))))
      }),
      { numRuns: 1000 },
    )
  })

  test('the tolerant parser reads standard JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = JSON.stringify(value)
        // the comment keeps JSON.parse out of it
        expect(parsed(`/**/${text}`)).toEqual(JSON.parse(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('any text is read or refused, and readers of bodies take whatever it was', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      "'",
      '\\',
      'a',
      '0',
      '-',
      '1e5',
      'true',
      '"$ref"',
      '"$.a"',
      ' ',
      '/*',
      '*/',
      '//',
      '\n',
    ]
    const pieced = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map(list => list.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), pieced), text => {
        survives(() => {
          const value = parseFastJson(text)
          heartbeatDataFromJson(value)
          topicRouteDataFromJson(value)
          stringifyFastJson(value)
        }, JsonSyntaxError)
      }),
      { numRuns: 5000 },
    )
  })
})
