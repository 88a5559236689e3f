import { describe, expect, test } from 'vitest'
import {
  JavaDouble,
  JsonSyntaxError,
  ObjectKeyMap,
  parseFastJson,
  readBoolean,
  readEnum,
  readNumber,
  readString,
  stringifyFastJson,
} from '../../../../src/common/index.js'

describe('parseFastJson', () => {
  test.each<[string, unknown]>([
    ['{"a":[1,-2.5,"x",true,null]}', { a: [1, -2.5, 'x', true, null] }],
    ['{0:"a",1:"b"}', { 0: 'a', 1: 'b' }],
    ['{-1:1}', { '-1': 1 }],
    ['{name:1,_b$:2,c-d:3}', { name: 1, _b$: 2, 'c-d': 3 }],
    ["{'a':'it''s'}".replace("''", "\\'"), { a: "it's" }],
    ['{"a":1,"b":[1,2,],}', { a: 1, b: [1, 2] }],
    ['[1,,2]', [1, 2]],
    ['{"a":undefined,"b":NaN}', { a: null, b: null }],
    ['{"a":1L,"b":1.5F}', { a: 1, b: 1.5 }],
    ['/* x */ {"a":1} // y', { a: 1 }],
    ['{"a":1} ', { a: 1 }],
    ['\ufeff{"a":1}', { a: 1 }],
    ['', null],
    [' \n', null],
    ['null', null],
    ['"a\nb"', 'a\nb'],
    ['"\\x41\\u00e9\\q\\/"', 'Aéq/'],
    ['{"offset":9007199254740993,"n":-9223372036854775808}', { offset: 9007199254740993n, n: -9223372036854775808n }],
    ['{"t":1700000000000,"d":0.1234567890123456}', { t: 1700000000000, d: 0.1234567890123456 }],
  ])('%s', (text, value) => {
    expect(parseFastJson(text)).toEqual(value)
    expect(parseFastJson(Buffer.from(text))).toEqual(value)
  })

  test('an object as a key becomes its JSON text, keys in order', () => {
    const text =
      '{"offsetTable":{{"topic":"T","queueId":0,"brokerName":"b"}:5,{"brokerName":"b","queueId":1,"topic":"T"}:6}}'
    expect(parseFastJson(text)).toEqual({
      offsetTable: {
        '{"brokerName":"b","queueId":0,"topic":"T"}': 5,
        '{"brokerName":"b","queueId":1,"topic":"T"}': 6,
      },
    })
  })

  test.each<[string, unknown]>([
    ['{"a":{"x":1},"b":{"$ref":"$.a"}}', { a: { x: 1 }, b: { x: 1 } }],
    ['{"a":[{"b":[1,{"c":2}]}],"d":{"$ref":"$.a[0].b[1]"}}', { a: [{ b: [1, { c: 2 }] }], d: { c: 2 } }],
    ['{"t":{"T-1":{"v":1}},"b":{"$ref":"$.t.T\\\\-1"}}', { t: { 'T-1': { v: 1 } }, b: { v: 1 } }],
    [
      '{"b":{"$ref":"$.a"},"a":{"x":{"$ref":"$.c"}},"c":{"y":1}}',
      { a: { x: { y: 1 } }, b: { x: { y: 1 } }, c: { y: 1 } },
    ],
    ['{"a":{"$ref":"$.nope.x"}}', { a: null }],
    ['{"a":{"b":{"$ref":".."},"c":{"$ref":"@"},"d":{"$ref":"$"}}}', { a: { b: null, c: null, d: null } }],
    ['{"a":{"$ref":"$.b"},"b":{"$ref":"$.a"}}', { a: null, b: null }],
    ['{"a":{"x":{"$ref":"$.b"}},"b":{"y":{"$ref":"$.a"}}}', { a: { x: { y: null } }, b: { y: null } }],
    ['{"$ref":"$"}', null],
    ['{"a":{"$ref":5}}', { a: { $ref: 5 } }],
  ])('references: %s', (text, value) => {
    expect(parseFastJson(text)).toEqual(value)
  })

  test('__proto__ stays data', () => {
    for (const text of ['{"__proto__":{"x":1}}', '{__proto__:{x:1}}']) {
      const value = parseFastJson(text)
      expect(Object.keys(value as object)).toEqual(['__proto__'])
      expect((value as { x?: number }).x).toBeUndefined()
    }
  })

  test.each([
    '{',
    '{"a"',
    '{"a":}',
    '[1 2]',
    '{"a":1}}',
    '"abc',
    "'",
    'hello',
    '{1}',
    '01x',
    '"\\u12"',
    '/*',
    '{"mqTable":},',
  ])('refuses %s', text => {
    expect(() => parseFastJson(text)).toThrow(JsonSyntaxError)
  })

  test('names the place of a mistake', () => {
    expect(() => parseFastJson('{"a":1,"b" 2}')).toThrow('":" expected, "2" found at character 11')
  })

  test.each(['[', '{"a":', '{['])('does not exhaust the stack on %s repeated', part => {
    expect(() => parseFastJson(part.repeat(200_000))).toThrow(JsonSyntaxError)
  })

  test('a long chain of references, and deep nesting beside one, are refused', () => {
    const links = Array.from({ length: 5000 }, (_, i) => `"k${i}":{"n":{"$ref":"$.k${i + 1}"}}`)
    expect(() => parseFastJson(`{${links.join(',')}}`)).toThrow('levels')
    expect(() => parseFastJson(`{"a":{"$ref":"$"},"b":${'['.repeat(2000)}${']'.repeat(2000)}}`)).toThrow('levels')
  })
})

describe('stringifyFastJson', () => {
  test('sorts keys, leaves out what is missing, knows Map, Set, bigint and objects as keys', () => {
    const value = {
      z: undefined,
      y: null,
      set: new Set(['a']),
      map: new Map([
        [10, 'x'],
        [9, 'y'],
      ]),
      big: 9223372036854775807n,
      list: [null, undefined, 1],
      offsetTable: new ObjectKeyMap([[{ topic: 'T', brokerName: 'b', queueId: 0 }, 5]]),
      tps: new JavaDouble(0),
      rate: new JavaDouble(1.25),
    }
    expect(stringifyFastJson(value)).toBe(
      '{"big":9223372036854775807,"list":[null,null,1],"map":{"9":"y","10":"x"},' +
        '"offsetTable":{{"brokerName":"b","queueId":0,"topic":"T"}:5},"rate":1.25,"set":["a"],"tps":0.0}',
    )
  })

  test('what it writes, it reads', () => {
    const value = { a: [1, 'ü\u2028\u0001"\\'], b: {}, c: [], d: { '5': true } }
    for (const options of [{}, { pretty: true }, { ascii: true }]) {
      expect(parseFastJson(stringifyFastJson(value, options))).toEqual(value)
    }
  })

  test('pretty as the files of Java', () => {
    expect(stringifyFastJson({ b: {}, a: [1, { c: 2 }], e: [] }, { pretty: true })).toBe(
      '{\n\t"a":[\n\t\t1,\n\t\t{\n\t\t\t"c":2\n\t\t}\n\t],\n\t"b":{},\n\t"e":[]\n}',
    )
  })

  test('ascii', () => {
    expect(stringifyFastJson({ 'a/b': 'é😀' }, { ascii: true })).toBe('{"a\\/b":"\\u00E9\\uD83D\\uDE00"}')
  })

  test('number keys of a Map without quotes, when asked', () => {
    const value = { '1': 'x', m: new Map([[0, 'a']]) }
    expect(stringifyFastJson(value, { bareNumberKeys: true })).toBe('{"1":"x","m":{0:"a"}}')
  })

  test('a circle of objects is refused', () => {
    const circle: { self?: unknown } = {}
    circle.self = circle
    expect(() => stringifyFastJson(circle)).toThrow(JsonSyntaxError)
  })
})

test('readers cast as fastjson does', () => {
  expect([readNumber('12', 0), readNumber(12n, 0), readNumber('x', 3), readNumber(null, 4)]).toEqual([12, 12, 3, 4])
  expect([readBoolean(1, false), readBoolean('true', false), readBoolean('x', true)]).toEqual([true, true, true])
  expect([readString(5), readString(null), readString(null, 'd')]).toEqual(['5', undefined, 'd'])
  expect([readEnum(1, ['A', 'B'], 'A'), readEnum('B', ['A', 'B'], 'A'), readEnum(7, ['A', 'B'], 'A')]).toEqual([
    'B',
    'B',
    'A',
  ])
})
