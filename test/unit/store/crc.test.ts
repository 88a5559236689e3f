import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { crc31 } from '../../../src/store/crc.js'

test('short and long bodies get the CRC of zlib without its sign bit', () => {
  const bytes = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 37) & 0xff))
  for (let length = 0; length <= 200; length++) {
    expect(crc31(bytes, 7, 7 + length)).toBe(crc32(bytes.subarray(7, 7 + length)) & 0x7fffffff)
  }
  expect(crc31(Buffer.from('hello'))).toBe(0x3610a686)
})
