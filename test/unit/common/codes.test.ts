import { describe, expect, test } from 'vitest'
import {
  CURRENT_VERSION,
  isRetriable,
  isValidPerm,
  languageCodeOf,
  languageName,
  permToString,
  RequestCode,
  ResponseCode,
  ResponseError,
  requestCodeName,
  responseCodeName,
  versionName,
  versionOrdinal,
} from '../../../src/common/index.js'

describe('codes', () => {
  test('request codes have distinct numbers and their Java names', () => {
    const numbers = Object.values(RequestCode)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers.length).toBe(158)
    expect(RequestCode.SEND_MESSAGE_V2).toBe(310)
    expect(requestCodeName(200050)).toBe('POP_MESSAGE')
    expect(requestCodeName(9999)).toBe('9999')
  })

  test('response codes have distinct numbers; a producer goes on to another broker for some', () => {
    const numbers = Object.values(ResponseCode)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(responseCodeName(17)).toBe('TOPIC_NOT_EXIST')
    expect(numbers.filter(isRetriable).sort((a, b) => a - b)).toEqual([1, 2, 14, 16, 17, 204, 205, 1500])
  })

  test('a response error carries code and remark', () => {
    const error = new ResponseError(ResponseCode.NO_PERMISSION, 'no', { cause: 'x' })
    expect(error).toMatchObject({ code: 16, remark: 'no', cause: 'x', message: 'CODE: 16 (NO_PERMISSION) DESC: no' })
  })

  test('languages by number and name', () => {
    expect(languageName(9)).toBe('GO')
    expect(languageName(99)).toBe('OTHER')
    expect(languageCodeOf('PHP')).toBe(10)
    expect(languageCodeOf('toString')).toBe(7)
  })

  test.each([
    [0, 'V3_0_0_SNAPSHOT'],
    [28, 'V3_0_7_SNAPSHOT'],
    [37, 'V3_0_11'],
    [62, 'V3_1_8_SNAPSHOT'],
    [121, 'V3_4_9'],
    [213, 'V4_0_0'],
    [232, 'V4_1_0_SNAPSHOT'],
    [315, 'V4_5_1'],
    [407, 'V4_9_7'],
    [413, 'V5_0_0'],
    [479, 'V5_3_3'],
    [612, 'HIGHER_VERSION'],
  ])('version %i is %s', (ordinal, name) => {
    expect(versionName(ordinal)).toBe(name)
    expect(versionOrdinal(name)).toBe(ordinal)
  })

  test('versions outside the table', () => {
    expect(versionName(5000)).toBe('HIGHER_VERSION')
    expect(versionOrdinal('V9_9_9')).toBeUndefined()
    expect(versionName(CURRENT_VERSION)).toBe('V5_3_3')
  })

  test('permissions', () => {
    expect([0, 2, 4, 6, 7, 8].map(permToString)).toEqual(['---', '-W-', 'R--', 'RW-', 'RWX', '---'])
    expect([-1, 0, 7, 8, 1.5].map(isValidPerm)).toEqual([false, true, true, false, false])
  })
})
