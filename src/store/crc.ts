import { crc32 } from 'node:zlib'

const TABLE = new Int32Array(256)
for (let i = 0; i < 256; i++) {
  let c = i
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  TABLE[i] = c
}

/** Below this the call into zlib costs more than a table in script: measured on Node 20, equal at 64 bytes. */
const SHORT = 64

/** CRC-32 without its sign bit, as records hold it, of `bytes[from, to)`. */
export function crc31(bytes: Buffer, from = 0, to = bytes.length): number {
  if (to - from > SHORT) {
    return crc32(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)) & 0x7fffffff
  }
  let c = -1
  for (let i = from; i < to; i++) c = TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8)
  return ~c & 0x7fffffff
}
